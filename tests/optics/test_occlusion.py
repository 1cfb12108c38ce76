"""What lies in front hides what lies behind, and where nothing does it is the renderer."""

import pytest
import torch
import torch.nn.functional as F

from argan.optics import ApertureRenderer, aperture_views, to_coded, to_light
from argan.optics.occlusion import first_seen, occluded_photo

SIDE = 24


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def occluded(
    image: torch.Tensor, disparity: torch.Tensor, dof_scale: torch.Tensor, *, views_per_side: int, steps: int = 32
) -> torch.Tensor:
    return occluded_photo(image, disparity, dof_scale, aperture_views(views_per_side).to(image), steps)


@pytest.mark.parametrize("disparity", [0.0, -1.3, 2.0])
def test_one_plane_is_what_the_renderer_makes_of_it(disparity: float) -> None:
    image, plane = noise(2, 3, SIDE, SIDE), torch.full((2, 1, SIDE, SIDE), disparity, dtype=torch.float64)
    dof_scale = torch.tensor([1.0, 0.4], dtype=torch.float64)
    expected = ApertureRenderer(7)(image, plane, dof_scale).image
    torch.testing.assert_close(occluded(image, plane, dof_scale, views_per_side=7), expected)


@pytest.mark.parametrize("seed", range(12))
def test_a_level_ground_is_met_whatever_rounding_does(seed: int) -> None:
    """Three level planes, the ground the farthest."""
    front, middle, ground = (noise(3, seed=seed) * torch.tensor([0.5, -0.2, -1.2])).tolist()
    disparity = torch.full((1, 1, SIDE, SIDE), ground - 0.5, dtype=torch.float64)
    disparity[..., 4:20, 4:14], disparity[..., 10:18, 8:18] = middle, front
    one, views = torch.ones(1).double(), aperture_views(5).double()
    exact = first_seen(disparity, one, views, 8)
    found = first_seen(disparity.float(), one.float(), views.float(), 8)
    assert float(exact.is_found.double().mean()) > 0.85  # the rest is behind what stands before it
    assert torch.equal(found.is_found, exact.is_found)
    torch.testing.assert_close(found.disparity.double(), exact.disparity, atol=1e-6, rtol=0)


def test_closed_it_is_the_image() -> None:
    image, disparity = noise(1, 3, SIDE, SIDE), 4 * noise(1, 1, SIDE, SIDE, seed=1) - 2
    photo = occluded(image, disparity, torch.zeros(1).double(), views_per_side=5)
    torch.testing.assert_close(photo, image)


def test_a_view_of_a_slope_is_where_geometry_says() -> None:
    """D = a + b x: x + u s d = p and D(p) = d give d = (a + b x) / (1 - b u s)."""
    a, b, u, s = 0.4, 0.05, 1.5, 0.8
    x = torch.arange(SIDE, dtype=torch.float64).expand(1, 1, SIDE, SIDE)
    seen = first_seen(a + b * x, torch.tensor([s]).double(), torch.tensor([[u, 0.0]]).double(), 64).disparity
    expected = (a + b * x) / (1 - b * u * s)
    inside = (x + u * s * expected < SIDE - 1) & (x > 2)
    torch.testing.assert_close(seen[inside], expected[inside], atol=1e-6, rtol=0)


@pytest.mark.parametrize(("rise", "is_met"), [(0.3, True), (0.45, True), (0.55, False), (0.8, False)])
def test_what_rises_by_half_of_what_the_line_comes_down_is_an_outline(rise: float, is_met: bool) -> None:
    """D = b x, looked at so far from the side that a step down along the line is `rise` of a step up on the slope."""
    b, places = 0.04, torch.arange(SIDE) - (SIDE - 1) / 2
    slope = (b * places).expand(1, 1, SIDE, SIDE).double()
    found = first_seen(slope, torch.ones(1).double(), torch.tensor([[-rise / b, 0.0]]).double(), 16)
    middle = (..., slice(8, 16))  # from where the line stays within the picture
    assert bool(found.is_found[middle].all()) == is_met == bool(found.is_found[middle].any())
    if is_met:
        torch.testing.assert_close(found.disparity[middle], (slope / (1 + rise))[middle], atol=1e-6, rtol=0)


def test_what_is_blurred_before_a_sharp_ground_spreads_over_it() -> None:
    """A bright bar in front of a black ground in focus: R leaves the ground black, a lens does not."""
    image, disparity = torch.zeros(1, 1, SIDE, SIDE).double(), torch.zeros(1, 1, SIDE, SIDE).double()
    image[..., 10:14], disparity[..., 10:14] = 1, 2
    one = torch.ones(1).double()
    beside = (slice(None), slice(None), slice(8, 16), slice(15, 17))
    plain = ApertureRenderer(13)(image, disparity, one).image
    photo = occluded(image, disparity, one, views_per_side=13)
    assert float(plain[beside].max()) < 1e-9
    assert float(photo[beside].min()) > 0.05


def test_what_is_blurred_behind_a_sharp_thing_does_not_spread_over_it() -> None:
    image, disparity = torch.ones(1, 1, SIDE, SIDE).double(), torch.full((1, 1, SIDE, SIDE), -2.0).double()
    image[..., 8:16, 8:16], disparity[..., 8:16, 8:16] = 0, 0
    photo = occluded(image, disparity, torch.ones(1).double(), views_per_side=13)
    assert float(photo[..., 9:15, 9:15].max()) < 1e-9


@pytest.mark.parametrize("steps", [8, 32])
@pytest.mark.parametrize("dof_scale", [0.5, 1.0])
def test_no_line_to_the_ground_ends_in_the_subject(steps: int, dof_scale: float) -> None:
    """As training sees it: 32 px, d_max 1.5, 21 views. A dark thing inside a subject in focus, which has a bright rim
    of its own, before a bright ground: the dark must not get out, nor the rim's disparity, though that is not quite 0.
    """
    image, disparity = torch.ones(1, 1, 32, 32), torch.full((1, 1, 32, 32), -1.5)
    image[..., 12:20, 12:20], disparity[..., 11:21, 11:21], disparity[..., 15, 15] = 0, -0.03, 0.1
    scale = torch.tensor([dof_scale])
    photo = occluded(image, disparity, scale, views_per_side=5, steps=steps)
    assert float(photo[..., 14:18, 14:18].max()) < 1e-6
    beside = torch.ones_like(image, dtype=torch.bool)
    beside[..., 11:21, 11:21] = False
    assert float(photo[beside].min()) > 0.99
    # The subject's own colour reaches its last pixel, whichever side a view comes from.
    image, is_subject = torch.ones(1, 1, 32, 32), disparity > -1
    image[is_subject] = 0
    photo = occluded(image, disparity, scale, views_per_side=5, steps=steps)
    assert float(photo[is_subject].max()) < 0.04


def test_gradients_are_exact_where_disparity_is_level() -> None:
    image, plane = noise(2, 2, 5, 6), torch.full((2, 1, 5, 6), 0.87).double()
    plane[1] = -1.31
    views = torch.tensor([[0.0, 0.0], [0.83, 0.0], [-1.37, 0.61]]).double()
    dof_scale = torch.tensor([0.91, 0.53]).double()
    for tensor in (image, plane, dof_scale):
        tensor.requires_grad_(True)

    def photo(image: torch.Tensor, disparity: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return occluded_photo(image, disparity, scale, views, 8)

    assert torch.autograd.gradcheck(photo, (image, plane, dof_scale), eps=1e-7, atol=1e-5)


def test_descent_finds_the_ground_behind_its_square_and_no_other_place_for_it() -> None:
    """A sharp square before a blurred ground. R gives the ground the same photo in front of the square; here the ground
    would spread over it.
    """
    image = noise(1, 3, SIDE, SIDE)
    is_ground = torch.ones(1, 1, SIDE, SIDE).double()
    is_ground[..., 7:17, 7:17] = 0
    views = aperture_views(5).double()

    def photo(ground: torch.Tensor) -> torch.Tensor:
        return occluded_photo(image, ground * is_ground, torch.ones(1).double(), views, 16)

    seen = photo(torch.tensor(-1.5).double())

    def descend(start: float) -> tuple[float, float]:
        ground = torch.tensor(start).double().requires_grad_(True)
        optimizer = torch.optim.Adam([ground], lr=0.05)
        for _ in range(60):
            optimizer.zero_grad()
            loss = F.mse_loss(photo(ground), seen)
            loss.backward()
            optimizer.step()
        return float(ground.detach()), float(loss.detach())

    behind, error = descend(-0.8)
    assert behind == pytest.approx(-1.5, abs=0.02)
    assert error < 1e-4
    _, error_in_front = descend(0.8)
    assert error_in_front > 1e-3


@pytest.mark.parametrize("linear_light", [False, True])
def test_the_renderer_with_occlusion_is_this_photo(linear_light: bool) -> None:
    image, disparity = 2 * noise(2, 3, SIDE, SIDE) - 1, 3 * noise(2, 1, SIDE, SIDE, seed=1) - 2
    dof_scale = torch.tensor([1.0, 0.3]).double()
    renderer = ApertureRenderer(5, linear_light=linear_light, occlusion_steps=8)
    seen = to_light(image) if linear_light else image
    expected = occluded(seen, disparity, dof_scale, views_per_side=5, steps=8)
    got = renderer(image, disparity, dof_scale).image
    torch.testing.assert_close(got, to_coded(expected) if linear_light else expected)
    channels_last = image.contiguous(memory_format=torch.channels_last)
    assert renderer(channels_last, disparity, dof_scale).image.is_contiguous(memory_format=torch.channels_last)


def test_it_has_no_place_for_expansion() -> None:
    with pytest.raises(ValueError, match="exclude"):
        ApertureRenderer(5, expansion=True, occlusion_steps=8)


def test_an_aperture_half_open_is_half_the_disparity() -> None:
    """And each photo is its own: what others of its batch have does not count."""
    image, dof_scale = noise(2, 3, SIDE, SIDE), torch.tensor([0.3, 0.6]).double()
    disparity = F.interpolate(noise(2, 1, 6, 6, seed=1), scale_factor=4) * 2 - 1.8
    photo = occluded(image, disparity, dof_scale, views_per_side=5, steps=8)
    scaled = dof_scale.view(-1, 1, 1, 1) * disparity
    torch.testing.assert_close(photo, occluded(image, scaled, torch.ones(2).double(), views_per_side=5, steps=8))
    for b in range(2):
        one = slice(b, b + 1)
        alone = occluded(image[one], disparity[one], dof_scale[one], views_per_side=5, steps=8)
        torch.testing.assert_close(photo[one], alone)
