"""Pictures: ranges, geometry and bytes are exact; the colours of disparity keep sign and order."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from argan.pixels import to_bytes
from argan.viewing.colours import BROKEN, DISPARITY_MAP, HALF_STEPS
from argan.viewing.pictures import disparity_colours, grid, legend, png_bytes, to_array, to_uint8

# What dichromats see of linear RGB. Machado, Oliveira, Fernandes, "A physiologically-based model for simulation of
# color vision deficiency", 2009, severity 1.
COLOUR_VISION = {
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


def linear_light(colours: np.ndarray) -> np.ndarray:
    """Linear RGB of sRGB uint8 colours `[...,3]`, in [0, 1]."""
    coded = colours / 255.0
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance of sRGB uint8 colours `[...,3]` (WCAG), in [0, 1]."""
    return linear_light(colours) @ np.array([0.2126, 0.7152, 0.0722])


def test_every_byte_survives_the_way_to_floats_and_back() -> None:
    coded = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    floats = np.moveaxis(coded, -1, -3).astype(np.float32) / 127.5 - 1.0
    assert np.array_equal(to_uint8(floats), coded)


def test_levels_are_those_of_nets_and_files() -> None:
    values = torch.linspace(-1.2, 1.2, 9001, dtype=torch.float32).expand(3, 1, -1)
    assert np.array_equal(to_uint8(to_array(values)), to_bytes(values).numpy().transpose(1, 2, 0))


def test_images_are_clipped_and_keep_their_leading_axes() -> None:
    assert to_uint8(np.full((2, 5, 3, 4, 6), 7.0)).shape == (2, 5, 4, 6, 3)
    assert to_uint8(np.full((3, 1, 1), 7.0)).tolist() == [[[255, 255, 255]]]
    assert to_uint8(np.full((3, 1, 1), -7.0)).tolist() == [[[0, 0, 0]]]


def test_a_broken_pixel_is_magenta_and_its_neighbour_is_not() -> None:
    image = np.zeros((3, 1, 2))
    image[1, 0, 0] = np.nan
    assert to_uint8(image)[0].tolist() == [BROKEN.tolist(), [128, 128, 128]]
    colours = disparity_colours(np.array([[np.nan, np.inf, 0.0]]), 1.0)
    assert colours[0, :2].tolist() == [BROKEN.tolist()] * 2
    assert not np.array_equal(colours[0, 2], BROKEN)


def test_channels_last_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(8, 8, 3\)"):
        to_uint8(np.zeros((8, 8, 3)))


def test_a_bfloat16_tensor_that_needs_gradients_becomes_an_array() -> None:
    array = to_array(torch.full((2, 3), 0.5, dtype=torch.bfloat16, requires_grad=True))
    assert array.dtype == np.float32
    assert np.array_equal(array, np.full((2, 3), 0.5))


def test_focus_is_neutral_behind_is_blue_before_is_orange() -> None:
    behind, focus, before = disparity_colours(np.array([[-3.0, 0.0, 3.0]]), 3.0)[0].astype(int)
    assert np.ptp(focus) <= 2
    assert focus.min() > 235
    assert behind[2] > behind[1] > behind[0]
    assert before[0] > before[1] > before[2]
    assert np.abs(behind - before).max() > 80


def test_luminance_falls_strictly_and_alike_on_both_sides_of_focus() -> None:
    falling = luminance(DISPARITY_MAP)
    behind, before = falling[HALF_STEPS::-8], falling[HALF_STEPS::8]
    assert (np.diff(behind) < 0).all()
    assert (np.diff(before) < 0).all()
    assert np.abs(behind - before).max() < 0.06


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_behind_stays_bluish_and_before_yellowish_for_every_eye(vision: str) -> None:
    seen = linear_light(DISPARITY_MAP) @ np.transpose(COLOUR_VISION[vision])
    blue_over_yellow = seen[:, 2] - seen[:, :2].mean(axis=1)
    assert (blue_over_yellow[: HALF_STEPS - 32] > 0.02).all()
    assert (blue_over_yellow[HALF_STEPS + 32 :] < -0.02).all()


def test_no_disparity_looks_broken() -> None:
    assert np.abs(DISPARITY_MAP.astype(int) - BROKEN).max(axis=1).min() > 100


@given(value=st.floats(-10, 10), d_max=st.floats(0.01, 10), zoom=st.sampled_from([0.25, 2.0, 64.0]))
def test_colour_depends_on_the_share_of_the_range_only_and_saturates(value: float, d_max: float, zoom: float) -> None:
    here = disparity_colours(np.array([[value]]), d_max)
    assert np.array_equal(here, disparity_colours(np.array([[value * zoom]]), d_max * zoom))
    if abs(value) >= d_max:
        assert np.array_equal(here, disparity_colours(np.array([[np.copysign(d_max, value)]]), d_max))


@pytest.mark.parametrize("d_max", [0.0, -1.0, float("nan"), float("inf")])
def test_a_range_that_is_no_range_is_refused(d_max: float) -> None:
    with pytest.raises(ValueError, match=str(d_max)):
        disparity_colours(np.zeros((2, 2)), d_max)


@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)),
    gap_px=st.integers(0, 5),
    scale=st.integers(1, 4),
)
def test_grid_puts_every_pixel_where_it_says(shape: tuple[int, int, int, int], gap_px: int, scale: int) -> None:
    num_rows, num_columns, height, width = shape
    images = np.random.default_rng(0).integers(0, 250, (num_rows, num_columns, height, width, 3), dtype=np.uint8)
    sheet = np.asarray(grid(images, gap_px=gap_px, scale=scale))
    step_y, step_x = scale * height + gap_px, scale * width + gap_px
    assert sheet.shape == (num_rows * step_y - gap_px, num_columns * step_x - gap_px, 3)
    left = np.ones(sheet.shape[:2], dtype=bool)
    for i in range(num_rows):
        for j in range(num_columns):
            block = (slice(i * step_y, i * step_y + scale * height), slice(j * step_x, j * step_x + scale * width))
            assert np.array_equal(sheet[block], np.kron(images[i, j], np.ones((scale, scale, 1), dtype=np.uint8)))
            left[block] = False
    assert (sheet[left] == 255).all()


def test_labels_take_room_and_leave_the_images_alone() -> None:
    images = np.random.default_rng(0).integers(0, 250, (2, 3, 24, 24, 3), dtype=np.uint8)
    plain = np.asarray(grid(images))
    labelled = np.asarray(grid(images, row_labels=["deep", "shallow"], column_labels=["a", "b", "c"]))
    top, left = labelled.shape[0] - plain.shape[0], labelled.shape[1] - plain.shape[1]
    assert np.array_equal(labelled[top:, left:], plain)
    assert labelled[:top, left:].min() < 200
    assert labelled[top:, :left].min() < 200


def test_grid_refuses_what_has_no_rows_and_columns() -> None:
    image = np.zeros((2, 2, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="lengths"):
        grid([])
    with pytest.raises(ValueError, match="lengths"):
        grid([[image], [image, image]])
    with pytest.raises(ValueError, match="shapes"):
        grid([[image, np.zeros((3, 3, 3), dtype=np.uint8)]])
    with pytest.raises(ValueError, match="2 column labels"):
        grid([[image, image]], column_labels=["one"])


def test_legend_runs_from_behind_to_before() -> None:
    strip = np.asarray(legend(1.5, width_px=209))[8]
    assert np.array_equal(strip[4], DISPARITY_MAP[0])
    assert np.array_equal(strip[104], DISPARITY_MAP[HALF_STEPS])
    assert np.array_equal(strip[204], DISPARITY_MAP[-1])


def test_png_keeps_the_pixels_and_repeats_its_bytes() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    data = png_bytes(image)
    assert data == png_bytes(Image.fromarray(image))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image)
