"""Each way to collapse, provoked; and silence where a generator is in health."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from argan import zoo
from argan.api import load_run
from argan.config import Config
from argan.evaluation.scene_truth import scene_truth
from argan.models.camera import Fake, build_discriminator
from argan.pixels import to_signed
from argan.prior import focus_prior, focus_priors
from argan.scenes.photo import Scene, scene
from argan.settings import override
from argan.training.health import as_metrics, standing, symptoms, vitals_of
from argan.training.vitals import SAMPLES, Vitals, far_sharpness, vitals

NUM_REAL = 48


class Painted:
    """A camera of this test's: fakes as they are given, whatever z."""

    def __init__(self, deep: Tensor, disparity: Tensor) -> None:
        self.deep, self.disparity = deep, disparity
        self.renderer = object()

    class generator:  # noqa: N801
        z_dim = 4

    def __call__(self, z: Tensor, dof_scale: Tensor) -> Fake:
        return Fake(self.deep, self.disparity, self.deep - dof_scale[:, None, None, None], dof_scale)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene(5, number, resolution=32) for number in range(NUM_REAL + SAMPLES)]


def signed(photos: list[np.ndarray]) -> Tensor:
    return to_signed(torch.from_numpy(np.stack(photos).transpose(0, 3, 1, 2).copy()))


@pytest.fixture(scope="module")
def photos(scenes: list[Scene]) -> tuple[Tensor, Tensor, Tensor]:
    """Real photos, the deep photos of others that a perfect generator might have made, and their disparity; 32 px."""
    real, made = scenes[:NUM_REAL], scenes[NUM_REAL:]
    disparity = torch.from_numpy(np.stack([each.disparity for each in made])).float()[:, None]
    return signed([each.image for each in real]), signed([each.deep for each in made]), disparity


@pytest.fixture(scope="module")
def small() -> Config:
    return load_run("zoo:ar-gan-scenes-32").config


def look(photos: tuple[Tensor, Tensor, Tensor], config: Config, *, factor: float = 1.0) -> Vitals:
    """The vitals with a discriminator that nobody has trained, its scores made `factor` times as large."""
    real, deep, disparity = photos
    discriminator = build_discriminator(config)
    discriminator.forward = lambda images: factor * images.mean((1, 2, 3))  # type: ignore[method-assign]
    priors = focus_priors(config.resolution, config.d_max_px, config.prior)
    return vitals(Painted(deep, disparity), discriminator, real, priors, config)  # type: ignore[arg-type]


def seen(found: Vitals, config: Config, images_seen: int = 150_000) -> list[str]:
    return symptoms(found._asdict(), images_seen, config)


def test_truth_is_in_health(photos: tuple[Tensor, Tensor, Tensor], small: Config) -> None:
    found = look(photos, small)
    assert seen(found, small) == []
    assert found.diversity == pytest.approx(1, abs=0.15)
    assert found.sharpness > 1  # of the photos some are blurred
    assert found.far_sharpness > 1
    assert found.inverted < 0.5 * small.guard.most_inverted + 0.05


@pytest.mark.parametrize("name", ["ar-gan-scenes-32", "ar-gan-scenes-64"])
def test_what_is_in_the_zoo_is_in_health(name: str) -> None:
    run = load_run(zoo.PREFIX + name)
    config = run.config
    real = to_signed(torch.from_numpy(scene_truth(5, NUM_REAL, resolution=config.resolution, num_processes=1).images))
    prior = focus_prior(config.resolution, config.d_max_px, config.prior)
    found = vitals(run.camera, build_discriminator(config), real, prior, config)
    assert symptoms(found._asdict(), run.images_seen, config) == []


def test_each_collapse_is_named_and_nothing_else(photos: tuple[Tensor, Tensor, Tensor], small: Config) -> None:
    real, deep, disparity = photos
    prior = focus_prior(32, small.d_max_px, small.prior).expand(SAMPLES, -1, -1, -1)
    blurred = torch.nn.functional.avg_pool2d(deep, 5, stride=1, padding=2, count_include_pad=False)
    random = torch.Generator().manual_seed(0)
    cases = {
        "blurred deep photos": (real, blurred, disparity),
        "flat disparity": (real, deep, 0.01 * disparity),
        "inverted disparity": (real, deep, -disparity),
        "prior-only disparity": (real, deep, prior + 0.01 * torch.randn(prior.shape, generator=random)),
    }
    for name, painted in cases.items():
        assert seen(look(painted, small), small) == [name]
    apart = (real + 0.5, deep - 0.5, disparity)  # only that discriminator's scores look at the level
    assert seen(look(apart, small, factor=1.0), small) == []
    assert seen(look(apart, small, factor=20.0), small) == ["saturated discriminator"]


def test_the_margin_is_that_of_the_apertures_that_were_shown(
    photos: tuple[Tensor, Tensor, Tensor], small: Config
) -> None:
    """In photos that darken by s: open all the time, never, and two times of three."""
    deep = look(photos, override(small, {"dof.shallow_share": 0.0})).margin
    assert look(photos, override(small, {"dof.distribution": "one"})).margin == pytest.approx(deep + 1.0, abs=1e-5)
    mixed = look(photos, override(small, {"dof.shallow_share": 2 / 3})).margin
    assert mixed == pytest.approx(deep + 2 / 3, abs=0.15)


def test_a_background_without_any_edge_is_the_worst(photos: tuple[Tensor, Tensor, Tensor], small: Config) -> None:
    """As where all of it is white: in half of the photos, it drags down the mean."""
    real, deep, disparity = photos
    size = disparity.abs().flatten(1)
    far = (size > size.median(dim=1, keepdim=True).values).reshape(disparity.shape)
    one_in_two = (torch.arange(SAMPLES) % 2 == 0)[:, None, None, None]
    found = look((real, torch.where(far & one_in_two, 1.0, deep), disparity), small)
    assert "blur painted into deep photos" in seen(found, small)


def test_next_to_no_edge_is_no_worse_than_none(photos: tuple[Tensor, Tensor, Tensor]) -> None:
    """As a tanh leaves a white background, in a thousandth of its own rounding."""
    _, deep, disparity = photos
    size = disparity.abs().flatten(1)
    far = (size > size.median(dim=1, keepdim=True).values).reshape(disparity.shape)
    nearly_white = 1 - 1e-6 * torch.rand(deep.shape, generator=torch.Generator().manual_seed(0))
    one = (torch.arange(SAMPLES) == 0)[:, None, None, None]
    white, nearly = (
        far_sharpness(torch.where(far & one, each, deep), disparity) for each in (torch.ones(1), nearly_white)
    )
    assert nearly == pytest.approx(white)


def test_a_subject_without_any_edge_hides_nothing(photos: tuple[Tensor, Tensor, Tensor]) -> None:
    """A white near half leaves nothing to compare with: such a photo does not count, and the others do."""
    _, deep, disparity = photos
    size = disparity.abs().flatten(1)
    far = (size > size.median(dim=1, keepdim=True).values).reshape(disparity.shape)
    one_white = torch.where(far | (torch.arange(SAMPLES) > 0)[:, None, None, None], deep, 1.0)
    assert far_sharpness(one_white, disparity) == pytest.approx(far_sharpness(deep[1:], disparity[1:]))


@pytest.mark.parametrize("modes", [1, 2, 4, 16])
def test_a_few_pictures_again_and_again_are_lost_diversity(
    photos: tuple[Tensor, Tensor, Tensor], small: Config, modes: int
) -> None:
    """Each a little different from its like."""
    real, deep, disparity = photos
    which, random = torch.arange(SAMPLES) % modes, torch.Generator().manual_seed(modes)
    again = deep[which] + 0.05 * torch.randn(deep.shape, generator=random)
    found = look((real, again.clamp(-1, 1), disparity[which]), small)
    assert "lost diversity" in seen(found, small)


def test_blur_painted_into_deep_photos_is_a_collapse(
    scenes: list[Scene], photos: tuple[Tensor, Tensor, Tensor], small: Config
) -> None:
    """All of it: deep photos are as real ones are taken, sharp all over or blurred behind their subject. The renderer
    would have nothing left to do, and disparity nothing to learn from.
    """
    real, _, disparity = photos
    painted = look((real, signed([each.image for each in scenes[NUM_REAL:]]), disparity), small)
    assert seen(painted, small) == ["blur painted into deep photos"]
    assert painted.sharpness > 0.8  # which hides it


@pytest.mark.parametrize("reach", [0.0, 0.2])
def test_half_of_the_samples_inside_out_is_a_collapse(
    photos: tuple[Tensor, Tensor, Tensor], small: Config, reach: float
) -> None:
    config = override(small, {"prior.reach": reach})
    real, deep, true = photos
    inside_out = true.amin((2, 3), keepdim=True) + true.amax((2, 3), keepdim=True) - true
    half = torch.where(torch.arange(len(true))[:, None, None, None] % 2 == 0, true, inside_out)
    assert seen(look((real, deep, true), config), config) == []
    assert seen(look((real, deep, half), config), config) == ["inverted disparity"]
    assert look((real, deep, inside_out), config).inverted == 1 - look((real, deep, true), config).inverted


def test_a_beginner_is_flat_and_blurred_and_not_ill(photos: tuple[Tensor, Tensor, Tensor], small: Config) -> None:
    real, deep, disparity = photos
    found = look((real, 0.01 * deep, 0 * disparity), small)
    assert seen(found, small, small.guard.from_images - 1) == []
    assert {"lost diversity", "flat disparity"} <= set(seen(found, small, small.guard.from_images))


def test_the_prior_may_be_followed_while_it_falls(photos: tuple[Tensor, Tensor, Tensor], small: Config) -> None:
    prior = focus_prior(32, small.d_max_px, small.prior).expand(SAMPLES, -1, -1, -1)
    found = look((*photos[:2], prior), small)
    assert seen(found, small, small.prior.fall_images - 1) == []
    assert seen(found, small, small.prior.fall_images) == ["prior-only disparity"]


def test_a_collapse_is_what_lasts(photos: tuple[Tensor, Tensor, Tensor], small: Config) -> None:
    """Two checks in a row see the same; a tick without a check says nothing."""
    config = override(small, {"guard.patience": 2})
    well, flat = look(photos, config), look((*photos[:2], 0 * photos[2]), config)

    def rows(*found: Vitals | None) -> list[dict[str, float]]:
        start = 100_000
        return [{"images_seen": start + n, **(as_metrics(each) if each else {})} for n, each in enumerate(found)]

    assert standing(rows(), config) == ((), None)
    assert standing(rows(flat), config) == ((), None)
    assert standing(rows(well, flat), config) == ((), 100_000)
    assert standing(rows(well, flat, None, flat), config) == (("flat disparity",), 100_000)
    assert standing(rows(flat, flat, well), config) == ((), 100_002)


def test_the_standard_gan_has_no_disparity_to_lose(photos: tuple[Tensor, Tensor, Tensor], small: Config) -> None:
    camera = Painted(photos[1], photos[2])
    camera.renderer = None  # type: ignore[assignment]
    prior = focus_prior(32, small.d_max_px, small.prior)
    found = vitals(camera, build_discriminator(small), photos[0], prior, small)  # type: ignore[arg-type]
    assert math.isnan(found.spread)
    assert set(as_metrics(found)) == {"health/margin", "health/diversity", "health/sharpness"}
    assert symptoms(vitals_of(as_metrics(found)), 10**6, small) == []
