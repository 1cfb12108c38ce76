"""What photos are compared: the run's own, R(I_d, s D), with the real ones, each on its side and as many of each."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from argan.api import load_run
from argan.evaluation.coverage import coverage
from argan.pixels import to_bytes
from argan.settings import override
from argan.storage import open_storage
from jobs.runtime import photo_quality
from jobs.runtime.judges import scene_judges
from jobs.runtime.photo_quality import SAMPLE_IMAGES, PhotoQuality, generated, judge_photos, real_photos


def test_precision_is_of_the_generated_and_recall_of_the_real_and_of_as_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real features in two clusters; generated ones in the first only, but for three that are too many."""
    random = torch.Generator().manual_seed(0)
    real = torch.randn(9, 4, generator=random) + 100.0 * (torch.arange(9) >= 5)[:, None]
    fake = torch.randn(12, 4, generator=random) + 100.0 * (torch.arange(12) >= 9)[:, None]
    monkeypatch.setattr(photo_quality, "extract", lambda _, images, __: real if len(images) == 9 else fake)
    quality = PhotoQuality(num_fakes=12, num_reals=9)
    reals = real_photos(quality, scene_judges(32, num_test=9, num_teach=1), 32)
    judged = judge_photos(load_run("zoo:ar-gan-scenes-32"), reals, quality, open_storage(str(tmp_path)))
    expected = coverage(real, fake[:9])
    assert judged.result["precision"] == expected.precision > 0.5
    assert judged.result["recall"] == expected.recall <= 5 / 9


def test_generated_photos_are_taken_by_the_camera() -> None:
    """Not the deep pictures; and the same whatever is generated at once."""
    run = load_run("zoo:ar-gan-scenes-32")
    wide_open = replace(run, config=override(run.config, {"dof.distribution": "one"}))
    num = SAMPLE_IMAGES + 4
    sample = wide_open.sample(num, seed=5)
    found = generated(wide_open, PhotoQuality(num_fakes=num, seed=5))
    assert torch.equal(found, to_bytes(sample.photo))
    assert differing(found, to_bytes(sample.deep)) > 0.9


def differing(one: Tensor, other: Tensor) -> float:
    """The share of photos that are not the same."""
    return (one != other).flatten(1).any(1).float().mean().item()
