"""What lies in front hides what lies behind, and where nothing does it is the renderer."""

import pytest
import torch
import torch.nn.functional as F

from argan.optics import ApertureRenderer
from argan.optics.occlusion import first_seen, render_with_occlusion

SIDE = 24


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("disparity", [0.0, -1.3, 2.0])
def test_one_plane_is_what_the_renderer_makes_of_it(disparity: float) -> None:
    image, plane = noise(2, 3, SIDE, SIDE), torch.full((2, 1, SIDE, SIDE), disparity, dtype=torch.float64)
    dof_scale = torch.tensor([1.0, 0.4], dtype=torch.float64)
    expected = ApertureRenderer(7)(image, plane, dof_scale).image
    torch.testing.assert_close(render_with_occlusion(image, plane, dof_scale, views_per_side=7), expected)


def test_closed_it_is_the_image() -> None:
    image, disparity = noise(1, 3, SIDE, SIDE), 4 * noise(1, 1, SIDE, SIDE, seed=1) - 2
    photo = render_with_occlusion(image, disparity, torch.zeros(1).double(), views_per_side=5)
    torch.testing.assert_close(photo, image)


def test_a_view_of_a_slope_is_where_geometry_says() -> None:
    """D = a + b x: x + u s d = p and D(p) = d give d = (a + b x) / (1 - b u s)."""
    a, b, u, s = 0.4, 0.05, 1.5, 0.8
    x = torch.arange(SIDE, dtype=torch.float64).expand(1, 1, SIDE, SIDE)
    seen = first_seen(a + b * x, torch.tensor([s]).double(), torch.tensor([[u, 0.0]]).double(), 64)
    expected = (a + b * x) / (1 - b * u * s)
    inside = (x + u * s * expected < SIDE - 1) & (x > 2)
    torch.testing.assert_close(seen[inside], expected[inside], atol=1e-6, rtol=0)


def test_what_is_blurred_before_a_sharp_ground_spreads_over_it() -> None:
    """A bright bar in front of a black ground in focus: R leaves the ground black, a lens does not."""
    image, disparity = torch.zeros(1, 1, SIDE, SIDE).double(), torch.zeros(1, 1, SIDE, SIDE).double()
    image[..., 10:14], disparity[..., 10:14] = 1, 2
    one = torch.ones(1).double()
    beside = (slice(None), slice(None), slice(8, 16), slice(15, 17))
    plain = ApertureRenderer(13)(image, disparity, one).image
    photo = render_with_occlusion(image, disparity, one, views_per_side=13)
    assert float(plain[beside].max()) < 1e-9
    assert float(photo[beside].min()) > 0.05


def test_what_is_blurred_behind_a_sharp_thing_does_not_spread_over_it() -> None:
    image, disparity = torch.ones(1, 1, SIDE, SIDE).double(), torch.full((1, 1, SIDE, SIDE), -2.0).double()
    image[..., 8:16, 8:16], disparity[..., 8:16, 8:16] = 0, 0
    photo = render_with_occlusion(image, disparity, torch.ones(1).double(), views_per_side=13)
    assert float(photo[..., 9:15, 9:15].max()) < 1e-9
    assert F.mse_loss(photo, image) > 0
