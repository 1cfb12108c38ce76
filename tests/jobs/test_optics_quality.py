"""The optics of a run's photos: the blur of either renderer, and where deep photos are sharp."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from argan.api import Run, Sample, load_run
from argan.models.camera import build_camera
from argan.settings import override
from jobs.runtime.judges import scene_judges
from jobs.runtime.optics_quality import OpticsQuality, judge_optics, mean_sharpness
from jobs.runtime.photo_quality import PhotoQuality, RealPhotos, real_photos


@pytest.fixture(scope="module")
def reals() -> RealPhotos:
    return real_photos(PhotoQuality(num_reals=16), scene_judges(32, num_test=16, num_teach=1), 32)


@pytest.mark.parametrize("linear_light", [False, True])
def test_blur_is_measured_in_what_the_renderer_averages(reals: RealPhotos, linear_light: bool) -> None:
    """The same generator behind the one and behind the other."""
    run = load_run("zoo:ar-gan-scenes-32")
    config = override(run.config, {"optics.linear_light": linear_light})
    camera = build_camera(config)
    camera.generator.load_state_dict(run.camera.generator.state_dict())
    found = judge_optics(replace(run, config=config, camera=camera), reals, OpticsQuality())
    assert found["blur_slope"] == pytest.approx(1, abs=0.1)
    assert found["blur_r_squared"] > 0.9
    assert found["blur_slope_in_training"] > 1.15  # few views, most of them near the aperture's edge


def test_sharpness_is_told_apart_where_photos_are_in_focus_and_where_they_are_not(reals: RealPhotos) -> None:
    """Noise at the left, in focus; the same noise half as strong at the right, far behind."""
    run = load_run("zoo:ar-gan-scenes-32")
    noise = torch.rand(8, 1, 32, 32, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1) - 0.5
    right = (torch.arange(32) >= 16).float().expand(8, 1, 32, 32)
    deep, disparity = noise * (1 - 0.5 * right), -run.config.d_max_px * right

    class Painted(Run):
        def sample(self, num: int, *, seed: int = 0, start_index: int = 0) -> Sample:
            return Sample(deep, deep, disparity, torch.ones(num))

    painted = Painted(run.uri, run.config, run.images_seen, run.checkpoint_sha256, run.camera, run.device)
    found = judge_optics(painted, reals, OpticsQuality(num_photos=8))
    assert found["sharpness_deep_focus"] > 0.2
    assert found["sharpness_deep_far"] == pytest.approx(0.5 * found["sharpness_deep_focus"], rel=0.2)
    assert found["sharpness_photo"] == found["sharpness_deep"]
    assert found["sharpness_real"] == mean_sharpness(reals.read()[:8].transpose(0, 2, 3, 1))


def test_photos_without_such_places_are_left_out() -> None:
    random = np.random.default_rng(0)
    photos = random.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    where = np.zeros((3, 16, 16), bool)
    assert np.isnan(mean_sharpness(photos, where))
    where[1] = True
    assert mean_sharpness(photos, where) == mean_sharpness(photos[1:2])
