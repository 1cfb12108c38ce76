"""What a run's pairs teach with: the same apertures whatever it learned with, and nothing where there is no depth."""

from pathlib import Path

import pytest
import torch

from argan.api import Run
from argan.config import Config
from argan.errors import UserError
from argan.evaluation.estimation import EstimatorBudget
from argan.models.camera import build_camera
from argan.presets import preset
from argan.settings import override
from argan.storage import open_storage
from jobs.runtime.depth_quality import DepthQuality, fake_pairs, judge_depth, taught_by_fakes
from jobs.runtime.judges import scene_judges


def run_of(config: Config) -> Run:
    camera = build_camera(config).requires_grad_(False).eval()
    return Run("here", config, 0, "sha", camera, torch.device("cpu"))


def test_runs_that_differ_in_their_mixture_alone_teach_the_same_pairs() -> None:
    mixtures = ({"dof.distribution": "one"}, {"dof.distribution": "bernoulli", "dof.shallow_share": 0.0})
    one, other = (fake_pairs(run_of(override(preset("debug"), mixture)), 3)(5, 70) for mixture in mixtures)
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.disparity, other.disparity)


def test_by_their_own_mixture_they_are_the_photos_that_it_was_trained_with() -> None:
    run = run_of(override(preset("debug"), {"dof.distribution": "one"}))
    sample, pairs = run.sample(70, seed=3, start_index=5), fake_pairs(run, 3, "own")(5, 70)
    assert torch.equal(pairs.images, sample.photo)
    assert torch.equal(pairs.disparity, sample.disparity)


def test_their_photos_are_taken_with_apertures_of_every_width() -> None:
    run = run_of(override(preset("debug"), {"dof.distribution": "one"}))
    pairs, wide_open = fake_pairs(run, 3)(0, 64), run.sample(64, seed=3)
    assert torch.equal(pairs.disparity, wide_open.disparity)
    least, most = (wide_open.deep - wide_open.photo).flatten(1).norm(dim=1).aminmax()
    assert least > 0
    blurred = (wide_open.deep - pairs.images).flatten(1).norm(dim=1) / most
    assert blurred.std() > 0.1  # some hardly, some as far as they go
    assert (pairs.images != wide_open.photo).flatten(1).any(1).all()


def test_the_guess_to_beat_is_the_prior_that_the_run_had(tmp_path: Path) -> None:
    """One of another radius is another map."""
    judges, budget = scene_judges(16, num_test=12, num_teach=40), EstimatorBudget(num_images=32, num_pairs=16)
    quality, cache, told = DepthQuality(budget=budget), open_storage(str(tmp_path)), []
    for radius in (0.1, 0.3):
        run = run_of(override(preset("debug"), {"prior.radius": radius}))
        result = judge_depth(run, judges, quality, cache)[0].result
        told.append(result["trivial_all"]["focus prior"]["disparity_error_px"])
    assert told[0] != told[1]


def test_a_standard_gan_teaches_nothing(tmp_path: Path) -> None:
    run = run_of(override(preset("debug"), {"method": "gan"}))
    with pytest.raises(UserError, match="standard GAN: it has no disparity"):
        taught_by_fakes(run, 0, EstimatorBudget(), open_storage(str(tmp_path)))
    assert not list(tmp_path.iterdir())
