"""The models that ship: small, loaded by hash, alive, and judged by what lies beside them."""

import json
from pathlib import Path

import pytest
import torch

from argan import zoo
from argan.api import load_run
from argan.errors import MissingError
from argan.pixels import to_bytes
from jobs.runtime.optics_quality import mean_sharpness

MOST_BYTES = 4_000_000
NAMES = ("ar-gan-scenes-32", "ar-gan-scenes-64")


def folder(name: str) -> Path:
    return Path(zoo.model_path(zoo.PREFIX + name))


def test_they_are_there() -> None:
    assert sorted(path.parent.name for path in zoo.MODELS.glob("*/config.json")) == sorted(NAMES)
    with pytest.raises(MissingError, match=r"no model 'zoo:none' in the zoo; there are zoo:ar-gan-scenes-32"):
        zoo.model_path("zoo:none")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_small_and_of_plain_data(name: str) -> None:
    files = [path for path in folder(name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
    assert {path.suffix for path in files} <= {".json", ".safetensors"}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_makes_photos_with_depth(name: str) -> None:
    run = load_run(zoo.PREFIX + name)
    sample = run.sample(32, seed=5)
    assert sample.deep.shape == (32, 3, run.config.resolution, run.config.resolution)
    assert (sample.disparity.std(dim=(1, 2, 3)) > 0.05 * run.config.d_max_px).all()
    assert (sample.deep.std(dim=(1, 2, 3)) > 0.05).all()
    assert torch.cdist(sample.deep.flatten(1), sample.deep.flatten(1)).fill_diagonal_(1e9).min() > 1
    assert sample.disparity.mean() < 0  # most of a picture lies behind its subject


@pytest.mark.parametrize("name", NAMES)
def test_the_metrics_are_of_this_very_model(name: str) -> None:
    run = load_run(zoo.PREFIX + name)
    metrics = json.loads((folder(name) / "metrics.json").read_text())
    fakes = metrics["protocol"]["fakes"]
    assert fakes["run"] == zoo.PREFIX + name
    assert (fakes["checkpoint_sha256"], fakes["images_seen"]) == (run.checkpoint_sha256, run.images_seen)
    assert metrics["protocol"]["test"]["num_photos"] == 1000
    assert metrics["gap_closed"]["ordinal_accuracy"] > 0.25
    assert metrics["kid"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_photos_are_taken_with_the_renderer_that_was_judged(name: str) -> None:
    """Whatever the defaults are by now: another renderer blurs otherwise."""
    metrics = json.loads((folder(name) / "metrics.json").read_text())
    asked = metrics["protocol"]["optics"]
    photos = load_run(zoo.PREFIX + name).sample(asked["num_photos"], seed=asked["seed"]).photo
    found = mean_sharpness(to_bytes(photos).permute(0, 2, 3, 1).numpy())
    assert found == pytest.approx(metrics["sharpness_photo"], rel=1e-4)
