"""The colours of signed disparity: a diverging map, made in OKLab so that equal steps of disparity look about equal.

    -d_max  behind the focal plane   blue      (far things are bluish, as in the landscape painter's rule)
         0  in focus                 near white
    +d_max  before the focal plane   orange

Lightness falls alike on both sides, so lightness alone shows how far out of focus a place is, and hue shows on which
side. Blue against orange stays apart for the common colour-vision deficiencies, which red against green would not.
OKLab: Bjorn Ottosson, "A perceptual color space for image processing", 2020.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HALF_STEPS = 512
"""Colours on each side of focus; the map has 2 * HALF_STEPS + 1, so that zero disparity is one of them."""

BROKEN = np.array([255, 0, 255], dtype=np.uint8)
"""Magenta marks a value that is not a finite number. Neither arm of the map comes near it."""


class Knot(NamedTuple):
    """A colour in OKLCh: lightness in [0, 1], chroma, hue in degrees."""

    lightness: float
    chroma: float
    hue_deg: float


# The two arms share lightness at every knot; all knots lie inside the sRGB gamut.
FOCUS = Knot(0.97, 0.0, 0.0)
BEHIND = (FOCUS, Knot(0.71, 0.13, 248.0), Knot(0.42, 0.12, 258.0))
BEFORE = (FOCUS, Knot(0.71, 0.15, 58.0), Knot(0.42, 0.11, 47.0))


def _oklab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.uint8]:
    """OKLab `[N,3]` to sRGB-coded uint8 `[N,3]`, clipped to the gamut."""
    to_cone_roots = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
    )
    to_linear_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((lab @ to_cone_roots.T) ** 3 @ to_linear_rgb.T, 0.0, 1.0)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255.0 * coded).astype(np.uint8)


def _arm(knots: tuple[Knot, ...]) -> NDArray[np.uint8]:
    """The colours from focus to the extreme, straight lines in OKLab between the knots: `[HALF_STEPS + 1, 3]`."""
    corners = np.array(
        [
            (k.lightness, k.chroma * np.cos(np.radians(k.hue_deg)), k.chroma * np.sin(np.radians(k.hue_deg)))
            for k in knots
        ]
    )
    along = np.linspace(0.0, len(knots) - 1.0, HALF_STEPS + 1)
    return _oklab_to_srgb(
        np.stack([np.interp(along, np.arange(len(knots)), corners[:, axis]) for axis in range(3)], axis=1)
    )


DISPARITY_MAP: NDArray[np.uint8] = np.concatenate([_arm(BEHIND)[:0:-1], _arm(BEFORE)])
"""`[2 * HALF_STEPS + 1, 3]` uint8 RGB, from -d_max over focus (row HALF_STEPS) to +d_max."""


def disparity_colours(disparity: NDArray[np.floating], d_max: float) -> NDArray[np.uint8]:
    """Signed disparity `[...,H,W]` in px per aperture unit to uint8 RGB `[...,H,W,3]`.

    Zero is near white, negative (behind) blue, positive (before) orange; values past +-d_max take the extreme colour,
    and what is not finite comes out magenta. ValueError if d_max (px per aperture unit) is not a positive number.
    """
    if not (np.isfinite(d_max) and d_max > 0):
        raise ValueError(f"d_max must be a positive number of px, got {d_max}")
    finite = np.isfinite(disparity)
    fraction = np.clip(np.where(finite, disparity, 0.0) / d_max, -1.0, 1.0)
    colours = DISPARITY_MAP[np.rint(HALF_STEPS * fraction).astype(np.intp) + HALF_STEPS]
    colours[~finite] = BROKEN
    return colours
