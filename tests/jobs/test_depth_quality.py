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
from jobs.runtime.depth_quality import fake_pairs, taught_by_fakes


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


def test_a_standard_gan_teaches_nothing(tmp_path: Path) -> None:
    run = run_of(override(preset("debug"), {"method": "gan"}))
    with pytest.raises(UserError, match="standard GAN: it has no disparity"):
        taught_by_fakes(run, 0, EstimatorBudget(), open_storage(str(tmp_path)))
    assert not list(tmp_path.iterdir())
