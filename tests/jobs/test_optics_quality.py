"""The optics of a run's photos: the blur of either renderer, and where deep photos are sharp."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from argan.api import Run, Sample, load_run
from argan.models.camera import build_camera
from argan.settings import override
from jobs.runtime.judges import scene_judges
from jobs.runtime.optics_quality import OpticsQuality, judge_optics, mean_sharpness, sharpness_at
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
            return Sample(deep, 0.5 * deep, disparity, torch.ones(num))

    painted = Painted(run.uri, run.config, run.images_seen, run.checkpoint_sha256, run.camera, run.device)
    found = judge_optics(painted, reals, OpticsQuality(num_photos=8))
    assert found["sharpness_deep_focus"] > 0.2
    assert found["sharpness_deep_far"] == pytest.approx(0.5 * found["sharpness_deep_focus"], rel=0.2)
    assert found["sharpness_photo"] == pytest.approx(0.5 * found["sharpness_deep"], rel=0.1)
    assert found["sharpness_real"] == mean_sharpness(reals.read()[:8].transpose(0, 2, 3, 1))


def test_sharpness_at_a_place_does_not_tell_of_the_outline_beside_it() -> None:
    """A textured square before a ground that was painted smooth: the ground has no edges of its own."""
    photo, is_ground = np.full((1, 16, 16, 3), 128, np.uint8), np.ones((1, 16, 16), bool)
    square = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    photo[0, 4:-4, 4:-4], is_ground[0, 4:-4, 4:-4] = square, False
    assert sharpness_at(photo, ~is_ground) > 0.1
    assert sharpness_at(photo, is_ground) == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(sharpness_at(photo, np.zeros((1, 16, 16), bool)))


def test_few_places_a_photo_are_as_sharp_as_many() -> None:
    """Of photos that are equally sharp everywhere, the percentile within each would fall with the size of the place."""
    photos = np.random.default_rng(0).integers(0, 256, (400, 16, 16, 3), dtype=np.uint8)
    small = np.zeros((400, 16, 16), bool)
    small[:, 4:9, 4:9] = True
    everywhere = sharpness_at(photos, np.ones_like(small))
    assert sharpness_at(photos, small) == pytest.approx(everywhere, rel=0.05)
