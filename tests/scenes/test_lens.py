"""The lens: METHOD's circle of confusion, exact planes, occlusion, linear light."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from argan.scenes.lens import (
    VIEW_SPACING_PX,
    Layer,
    Plane,
    aperture_points,
    deep_view,
    photograph,
    pixel_centres,
    to_srgb,
    views,
)

RESOLUTION = 96


def plane_px(disparity_px: float) -> Plane:
    return Plane(disparity_px / RESOLUTION)


def filled(value: float, plane: Plane = Plane(0.0), *, is_subject: bool = False) -> Layer:  # noqa: B008
    texture = np.full((4, RESOLUTION, RESOLUTION), value, np.float32)
    texture[3] = 1.0
    return Layer(texture, 0, 0, plane, is_subject)


def half(value: float, plane: Plane, *, is_subject: bool = False) -> Layer:
    """Covers the columns from the middle on."""
    texture = np.zeros((4, RESOLUTION, RESOLUTION), np.float32)
    texture[:3, :, RESOLUTION // 2 :], texture[3, :, RESOLUTION // 2 :] = value, 1.0
    return Layer(texture, 0, 0, plane, is_subject)


def taken(layers: list[Layer], dof_scale: float) -> np.ndarray:
    return photograph(layers, dof_scale, RESOLUTION, deep_view(layers, RESOLUTION))


@pytest.mark.parametrize("dof_scale", [0.5, 1.0])
@pytest.mark.parametrize("disparity_px", [-6.0, -2.0, 3.0])
def test_a_point_becomes_a_disk_of_diameter_4_s_disparity(disparity_px, dof_scale):
    layer = filled(0.0, plane_px(disparity_px))
    layer.texture[:3, RESOLUTION // 2, RESOLUTION // 2] = 1.0
    spot = taken([layer], dof_scale)[0].astype(np.float64)
    assert spot.sum() == pytest.approx(1.0, rel=1e-3)
    rows, columns = np.mgrid[:RESOLUTION, :RESOLUTION] - RESOLUTION // 2
    assert (spot * rows).sum() == pytest.approx(0.0, abs=0.02)
    assert (spot * columns).sum() == pytest.approx(0.0, abs=0.02)
    # a disk's second moment is diameter^2 / 8; bilinear resampling adds 1/6 px^2 along each axis
    moment = (spot * (rows**2 + columns**2)).sum() - 1.0 / 3.0
    diameter_px = 4.0 * dof_scale * abs(disparity_px)
    assert np.sqrt(8.0 * moment) == pytest.approx(diameter_px, rel=0.03)
    assert spot[np.hypot(rows, columns) > diameter_px / 2 + 1.5].max(initial=0.0) == 0.0


def test_an_edge_is_blurred_over_the_same_diameter():
    black = filled(0.0, plane_px(-5.0))
    black.texture[:3, :, RESOLUTION // 2 :] = 1.0
    profile = taken([black], 0.8)[0, RESOLUTION // 2]
    between = np.flatnonzero((profile > 0.002) & (profile < 0.998))
    assert len(between) == pytest.approx(4 * 0.8 * 5.0, abs=2)
    assert profile[RESOLUTION // 2 - 1] + profile[RESOLUTION // 2] == pytest.approx(1.0, abs=0.02)


def test_the_blur_is_even():
    """Neighbouring views lie close enough: inside the disk of a point there are no ghosts."""
    layer = filled(0.0, plane_px(6.0))
    layer.texture[:3, 44:53, 44:53] = 1.0 / 81
    spot = taken([layer], 1.0)[0]
    rows, columns = np.mgrid[:RESOLUTION, :RESOLUTION] - RESOLUTION // 2
    core = spot[np.hypot(rows, columns) < 6.0]
    assert core.std() / core.mean() < 0.05
    assert np.pi * 12.0**2 / VIEW_SPACING_PX**2 > 300


@settings(max_examples=30, deadline=None)
@given(
    a=st.floats(-0.05, 0.05),
    b=st.tuples(st.floats(-0.08, 0.08), st.floats(-0.08, 0.08)),
    u=st.tuples(st.floats(-1.4, 1.4), st.floats(-1.4, 1.4)),
    s=st.floats(0.1, 1.0),
)
def test_a_view_of_a_slanted_plane_is_exact(a, b, u, s):
    """A texture that shows its own coordinates: each p seen at x satisfies x = p - u s d(p)."""
    texture = np.ones((4, 64, 64), np.float32)
    texture[0], texture[1] = pixel_centres(64)[None, :], pixel_centres(64)[:, None]
    seen = views([Layer(texture, 0, 0, Plane(a, *b))], torch.tensor([u]), s, 64)[:, 0].numpy()
    p_x, p_y = seen[0], seen[1]
    disparity = a + b[0] * p_x + b[1] * p_y
    inside = (np.abs(p_x) < 0.49) & (np.abs(p_y) < 0.49)  # the border repeats beyond
    x, y = np.meshgrid(pixel_centres(64), pixel_centres(64))
    np.testing.assert_allclose((p_x - u[0] * s * disparity)[inside], x[inside], atol=2e-6)
    np.testing.assert_allclose((p_y - u[1] * s * disparity)[inside], y[inside], atol=2e-6)


def test_what_is_in_focus_hides_what_is_behind_and_stays_sharp():
    layers = [half(0.25, plane_px(0.0), is_subject=True), filled(1.0, plane_px(-5.0))]
    layers[1].texture[:3, :, RESOLUTION // 2 :] = 0.0  # dark behind the subject: no lens sees much of it
    light = taken(layers, 1.0)[0]
    np.testing.assert_allclose(light[:, RESOLUTION // 2 :], 0.25, atol=1e-5)
    assert light[:, RESOLUTION // 2 - 1].max() < 0.6  # at the outline half of the aperture sees the dark


def test_what_is_before_the_focal_plane_spreads_over_it():
    layers = [half(1.0, plane_px(4.0)), filled(0.0, is_subject=True)]
    light = taken(layers, 1.0)[0]
    assert light[:, RESOLUTION // 2 - 4].min() > 0.05
    assert light[:, RESOLUTION // 2 + 4].max() < 0.95


def test_truth_is_the_frontmost_layer_of_more_than_half_opacity():
    veil = half(0.4, plane_px(2.0))
    veil.texture[3] *= 0.4
    rim = half(0.4, plane_px(0.0), is_subject=True)
    rim.texture[3] *= 0.9
    deep = deep_view([veil, rim, filled(0.1, plane_px(-3.0))], RESOLUTION)
    middle = RESOLUTION // 2
    np.testing.assert_allclose(deep.disparity[:, :middle], -3.0, atol=1e-5)
    np.testing.assert_allclose(deep.disparity[:, middle:], 0.0, atol=1e-5)
    assert not deep.subject[:, :middle].any()
    assert deep.subject[:, middle:].all()


def test_slanted_truth_is_in_px():
    deep = deep_view([filled(0.1, Plane(-0.02, 0.03, -0.01))], RESOLUTION)
    x, y = np.meshgrid(pixel_centres(RESOLUTION), pixel_centres(RESOLUTION))
    np.testing.assert_allclose(deep.disparity, RESOLUTION * (-0.02 + 0.03 * x - 0.01 * y), atol=1e-5)


def test_a_closed_aperture_is_the_pinhole():
    layers = [half(0.7, plane_px(3.0)), filled(0.2, plane_px(-5.0))]
    deep = deep_view(layers, RESOLUTION)
    np.testing.assert_array_equal(taken(layers, 0.0), deep.light)
    np.testing.assert_allclose(taken(layers, 1e-6), deep.light, atol=1e-4)


@pytest.mark.parametrize("num_views", [7, 50, 333])
def test_the_aperture_is_a_centred_disk_of_radius_2(num_views):
    points = aperture_points(num_views).astype(np.float64)
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-6)
    assert np.hypot(*points.T).max() < 2.1
    assert (points**2).sum(axis=1).mean() == pytest.approx(2.0, rel=0.06)  # radius^2 / 2


def test_srgb_of_known_light():
    light = np.array([-0.1, 0.0, 0.0025, 0.2159, 0.5, 1.0, 1.7], np.float32)
    coded = to_srgb(np.broadcast_to(light, (3, 1, 7)))
    assert coded[0, :, 0].tolist() == [0, 0, 8, 128, 188, 255, 255]
