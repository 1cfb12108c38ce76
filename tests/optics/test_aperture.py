import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from argan.optics import EDGE, aperture_views, views_needed
from argan.optics.aperture import LEAST_VIEWS_PER_SIDE

sides = st.integers(1, 24)
shapes = st.sampled_from(["disk", "square"])


def as_set(views: torch.Tensor) -> set[tuple[float, ...]]:
    return {tuple(view) for view in views.tolist()}


def test_the_default_is_five_by_five_without_the_corners() -> None:
    lattice = {(float(u), float(v)) for u in range(-2, 3) for v in range(-2, 3)}
    corners = {(u, v) for u, v in lattice if abs(u) == abs(v) == 2}
    assert as_set(aperture_views()) == lattice - corners
    assert as_set(aperture_views(5, "square")) == lattice


def test_one_view_is_the_pinhole() -> None:
    assert aperture_views(1).tolist() == [[0.0, 0.0]]


@given(sides, shapes)
@settings(deadline=None)
def test_apertures_are_point_symmetric_and_reach_the_edge(n: int, shape: str) -> None:
    views = aperture_views(n, shape)
    torch.testing.assert_close(views.flip(0), -views)
    if n > 1:
        assert views.abs().max().item() == pytest.approx(EDGE)


@given(sides)
@settings(deadline=None)
def test_the_centre_is_a_view_where_the_side_is_odd(n: int) -> None:
    assert ((aperture_views(n) == 0).all(1).sum() == n % 2).item()


def test_many_views_make_a_disk() -> None:
    views = aperture_views(201)
    radii = views.norm(dim=1)
    assert radii.max() < EDGE * 1.01
    assert len(views) / 201**2 == pytest.approx(math.pi / 4, rel=0.01)


@settings(deadline=None)
@given(st.floats(0, 30))
def test_as_many_views_as_the_blur_needs_and_no_more(disparity_px: float) -> None:
    def gap_px(n: int) -> float:
        return 2 * EDGE * disparity_px / (n - 1) if n > 1 else (math.inf if disparity_px else 0)

    n = views_needed(disparity_px)
    assert n % 2 == 1
    assert gap_px(n) <= 1 + 1e-12
    assert n in (1, LEAST_VIEWS_PER_SIDE) or gap_px(n - 2) > 1 - 1e-12
    if disparity_px:  # they blur as wide as a disk of the edge's radius, within 7 %
        assert EDGE <= (2 * aperture_views(n).square().sum(1).mean()) ** 0.5 <= 1.07 * EDGE


@pytest.mark.parametrize("n", [2, 3, 5, 7, 13])
def test_fitted_views_blur_as_wide_as_the_shape(n: int) -> None:
    """The root mean square radius of a disk of radius 2, and of a square of that edge; only drawn in, not moved."""
    for shape, expected in (("disk", EDGE / 2**0.5), ("square", EDGE * (2 / 3) ** 0.5)):
        views, drawn_in = aperture_views(n, shape), aperture_views(n, shape, "blur")  # type: ignore[arg-type]
        assert float(drawn_in.square().sum(1).mean().sqrt()) == pytest.approx(expected)
        ratio = drawn_in[views != 0] / views[views != 0]
        torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))
    assert aperture_views(1, fit="blur").tolist() == [[0.0, 0.0]]


def test_bad_apertures_are_refused() -> None:
    with pytest.raises(ValueError, match="got 0"):
        aperture_views(0)
    with pytest.raises(ValueError, match="'star'"):
        aperture_views(5, "star")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'rim'"):
        aperture_views(5, fit="rim")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got nan"):
        views_needed(math.nan)
