"""Colours in linear light. Subjects and grounds draw from overlapping families, so that no colour means near or far."""

import colorsys
from typing import NamedTuple

import numpy as np

from argan.scenes.lens import Floats

# hue, saturation, value ranges of the sRGB-coded colour
Family = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
BLOSSOMS: tuple[Family, ...] = (
    ((0.93, 1.03), (0.55, 0.95), (0.55, 0.95)),  # red
    ((0.86, 0.96), (0.25, 0.70), (0.65, 1.00)),  # pink
    ((0.72, 0.84), (0.30, 0.75), (0.45, 0.90)),  # purple
    ((0.58, 0.70), (0.30, 0.75), (0.45, 0.90)),  # blue
    ((0.12, 0.17), (0.45, 0.95), (0.70, 1.00)),  # yellow
    ((0.04, 0.10), (0.60, 0.95), (0.65, 1.00)),  # orange
    ((0.00, 1.00), (0.00, 0.15), (0.75, 1.00)),  # white
)
FOLIAGE: tuple[Family, ...] = (
    ((0.22, 0.36), (0.30, 0.65), (0.25, 0.60)),  # green
    ((0.19, 0.28), (0.25, 0.60), (0.50, 0.85)),  # light green
    ((0.36, 0.46), (0.25, 0.60), (0.25, 0.60)),  # blue-green
    ((0.02, 0.14), (0.45, 0.85), (0.45, 0.90)),  # autumn
)
EARTH: tuple[Family, ...] = (
    ((0.04, 0.11), (0.25, 0.60), (0.25, 0.65)),  # soil, bark
    ((0.06, 0.14), (0.10, 0.35), (0.50, 0.85)),  # sand, straw
    ((0.00, 1.00), (0.00, 0.12), (0.25, 0.80)),  # stone
)
AIR: tuple[Family, ...] = (
    ((0.53, 0.62), (0.10, 0.55), (0.65, 0.98)),  # sky
    ((0.00, 1.00), (0.00, 0.20), (0.80, 1.00)),  # bright haze
    ((0.25, 0.60), (0.10, 0.50), (0.05, 0.25)),  # deep shade
)


def linear(hue: float, saturation: float, value: float) -> Floats:
    """Linear RGB [3] of an HSV colour given in sRGB's coding."""
    coded = np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
    light = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


class Paint(NamedTuple):
    """A colour in HSV of sRGB's coding, that can be varied."""

    hue: float
    saturation: float
    value: float

    @property
    def light(self) -> Floats:
        """Linear RGB [3]."""
        return linear(*self)

    def kin(self, rng: np.random.Generator, spread: float) -> "Paint":
        """A neighbour: spread 0 is the same colour, 1 up to a tenth of the hue circle and half the value away."""
        step = rng.uniform(-spread, spread, 3)
        return Paint(
            hue=self.hue + 0.1 * float(step[0]),
            saturation=min(max(self.saturation + 0.4 * float(step[1]), 0.0), 1.0),
            value=min(max(self.value + 0.5 * float(step[2]), 0.05), 1.0),
        )


def pick(rng: np.random.Generator, families: tuple[Family, ...]) -> Paint:
    family = families[int(rng.integers(len(families)))]
    hue, saturation, value = (float(rng.uniform(low, high)) for low, high in family)
    return Paint(hue, saturation, value)
