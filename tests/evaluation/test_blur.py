"""The blur that is measured is the blur that was made."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from argan.errors import UserError
from argan.evaluation.blur import (
    PHOTOS_AT_ONCE,
    BlurSettings,
    aperture_kernel,
    blurred_by,
    lowest,
    measure_blur,
    suitable_regions,
)
from argan.optics import render
from argan.optics.aperture import ApertureShape

SIDE_PX, D_MAX_PX = 48, 1.5
SETTINGS = BlurSettings(regions_per_side=6)


def textured(num: int) -> torch.Tensor:
    coarse = torch.rand(num, 3, SIDE_PX // 2, SIDE_PX // 2, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, scale_factor=2, mode="bilinear") * 2 - 1


def planes(num: int) -> torch.Tensor:
    """Each photo at one disparity, from 0 to -d_max."""
    return -torch.linspace(0, D_MAX_PX, num)[:, None, None, None].expand(-1, 1, SIDE_PX, SIDE_PX)


@pytest.mark.parametrize("shape", ["disk", "square"])
@pytest.mark.parametrize("factor", [1.0, 0.7, 1.3])
def test_the_slope_is_the_error_of_the_optics(factor: float, shape: ApertureShape) -> None:
    """A renderer that opens its aperture by a factor too far is found out, by that factor."""

    def take(deep: torch.Tensor, disparity: torch.Tensor, dof_scale: float) -> torch.Tensor:
        return render(deep, factor * disparity, dof_scale, views_per_side=25, shape=shape)

    fit = measure_blur(textured(6), planes(6), take, d_max_px=D_MAX_PX, settings=SETTINGS, shape=shape)
    assert fit.slope == pytest.approx(factor, rel=0.05)
    assert abs(fit.intercept_px) < 0.1
    assert fit.r_squared > 0.99
    assert len(fit.measured_px) > 4 * fit.num_regions


def test_many_photos_are_as_few_at_a_time() -> None:
    num = PHOTOS_AT_ONCE + 3
    deep, disparity = textured(num), planes(num)
    whole = measure_blur(deep, disparity, render, d_max_px=D_MAX_PX, settings=SETTINGS)
    parts = [
        measure_blur(deep[part], disparity[part], render, d_max_px=D_MAX_PX, settings=SETTINGS)
        for part in (slice(PHOTOS_AT_ONCE), slice(PHOTOS_AT_ONCE, None))
    ]
    assert whole.num_regions == sum(part.num_regions for part in parts)
    np.testing.assert_allclose(whole.measured_px, np.concatenate([part.measured_px for part in parts]))


def test_photos_that_do_not_blur_have_slope_0() -> None:
    fit = measure_blur(textured(4), planes(4), lambda deep, *_: deep, d_max_px=D_MAX_PX, settings=SETTINGS)
    assert fit.slope == pytest.approx(0, abs=1e-6)
    assert np.isnan(fit.r_squared)


def test_only_regions_that_can_be_measured_are() -> None:
    deep, disparity = textured(3), planes(3).clone()
    deep[0] = 0.3  # smooth: no blur can be seen
    disparity[1, :, :, SIDE_PX // 2 :] += 1  # an edge in the middle: blur crosses it from both sides
    chosen = suitable_regions(deep, disparity, D_MAX_PX, SETTINGS)
    assert chosen.shape == (len(SETTINGS.apertures), 3, 6, 6)
    for at_aperture in chosen:
        assert at_aperture.flatten(1).sum(1).tolist() == [0, 8, 16]  # without the photo's border, blur crosses that too
        assert not at_aperture[1, :, 2:4].any()
    # In focus radii agree by themselves: such regions are asked for only where somebody wants them.
    assert not suitable_regions(textured(1), planes(3)[:1], D_MAX_PX, SETTINGS).any()
    in_focus_too = replace(SETTINGS, least_blur_px=0.0)
    assert suitable_regions(textured(1), planes(3)[:1], D_MAX_PX, in_focus_too).all()  # nothing reaches anywhere


def test_nothing_to_measure_is_no_number_rather_than_a_guess() -> None:
    smooth = torch.zeros(2, 3, 32, 32)
    fit = measure_blur(smooth, smooth[:, :1], lambda deep, *_: deep, d_max_px=1.0, settings=SETTINGS)
    assert fit.num_regions == 0
    assert np.isnan([fit.slope, fit.intercept_px, fit.r_squared]).all()


@pytest.mark.parametrize("radius_px", [0.5, 1.0, 2.3])
def test_the_disk_is_a_disk(radius_px: float) -> None:
    """Of sum 1, symmetric, and with the second moment of a disk seen through bilinear weights."""
    kernel = aperture_kernel(radius_px, "disk")
    assert float(kernel.sum()) == pytest.approx(1)
    for turned in (kernel.T, kernel.flip(0), kernel.flip(1)):
        torch.testing.assert_close(kernel, turned)
    reach = kernel.shape[0] // 2
    pixels = torch.arange(-reach, reach + 1).double()
    moment = float((kernel.sum(0) * pixels**2).sum())
    points = np.linspace(-radius_px, radius_px, 200_001)
    density = np.sqrt(np.maximum(radius_px**2 - points**2, 0))
    parts = np.abs(points) % 1
    assert moment == pytest.approx(((points**2 + parts * (1 - parts)) * density).sum() / density.sum(), rel=0.01)


def test_a_disk_without_width_changes_nothing() -> None:
    images = textured(1)
    assert torch.equal(blurred_by(images, 0.0), images)


def test_the_lowest_place_lies_between_the_places() -> None:
    places = np.arange(0.0, 3.0, 0.25)
    bottoms = np.array([0.0, 0.6, 1.33, 2.75, 9.0])
    found = lowest(places, (places[:, None] - bottoms[None]) ** 2)
    np.testing.assert_allclose(found, [0.0, 0.6, 1.33, 2.75, 2.75], atol=1e-9)


@pytest.mark.parametrize(
    "changes", [{"apertures": ()}, {"apertures": (0.0,)}, {"regions_per_side": 2}, {"num_radii": 2}]
)
def test_settings_that_mean_nothing_are_refused(changes: dict) -> None:
    with pytest.raises(UserError, match="got"):
        BlurSettings(**changes)


def test_an_edge_as_near_as_blur_reaches_spoils_a_region() -> None:
    """An edge 2 px to the right of a column of regions, and one within it; disparity differs by 2/3 d_max across it."""
    behind = planes(2)[1:]
    beside, within = behind.clone(), behind.clone()
    beside[..., 26:] += 1.0  # the third column of regions ends before pixel 24
    within[..., 20:] += 1.0
    reaches_px = [np.ceil(2 * aperture * D_MAX_PX) for aperture in SETTINGS.apertures]
    assert min(reaches_px) < 2 < max(reaches_px)
    chosen = suitable_regions(textured(1), beside, D_MAX_PX, SETTINGS)[:, 0, 2, 2]
    assert chosen.tolist() == [reach_px <= 2 for reach_px in reaches_px]
    assert not suitable_regions(textured(1), within, D_MAX_PX, SETTINGS)[:, 0, :, 2].any()


def test_disparity_may_vary_by_a_share_of_d_max_and_no_more() -> None:
    slope = torch.linspace(-0.5, 0.5, 8).repeat(SIDE_PX // 8)
    for share, suits in ((0.9, True), (1.1, False)):
        waves = -1.0 + slope * share * SETTINGS.most_variation * D_MAX_PX
        disparity = waves.expand(1, 1, SIDE_PX, SIDE_PX)
        assert bool(suitable_regions(textured(1), disparity, D_MAX_PX, SETTINGS)[:, 0, 2:4, 2:4].all()) == suits
