"""Where textures are drawn: the picture and a margin, at several samples a pixel, in coordinates that know no resolution."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.scenes.lens import Floats, Layer, Plane

MARGIN = 0.125  # of the width on each side: views look that far beyond the edge
LEAST_SAMPLES = 128  # a side, over the picture: what a texture needs not to alias before its box filter


class Window(NamedTuple):
    """A rectangle of whole pixels, its samples' coordinates in widths: x [1,w], y [h,1], y down."""

    rows: slice  # of the canvas, in samples
    columns: slice
    x: Floats
    y: Floats


class Canvas:
    """A square grid of samples over [-0.5, 0.5] and a margin."""

    def __init__(self, resolution: int) -> None:
        self.resolution = resolution
        self.oversampling = max(2, -(-LEAST_SAMPLES // resolution))
        self.margin_px = int(np.ceil(MARGIN * resolution))
        self.size_px = resolution + 2 * self.margin_px
        size = self.size_px * self.oversampling
        self.samples_per_width = resolution * self.oversampling
        centres = (np.arange(size) + 0.5) / self.samples_per_width - 0.5 - self.margin_px / resolution
        self.coordinates: Floats = centres.astype(np.float32)
        self.whole = self.window(0.0, 0.0, 10.0)

    def window(self, x: float, y: float, radius: float) -> Window:
        """The samples within `radius` of a point, in whole pixels with one to spare, cut at the canvas's edge."""
        columns, rows = self._span(x, radius), self._span(y, radius)
        return Window(rows, columns, self.coordinates[None, columns], self.coordinates[rows, None])

    def _span(self, centre: float, radius: float) -> slice:
        first = np.floor((centre - radius + 0.5) * self.resolution) + self.margin_px - 1
        last = np.ceil((centre + radius + 0.5) * self.resolution) + self.margin_px + 1
        first, last = np.clip([first, last], 0, self.size_px)
        return slice(int(first) * self.oversampling, int(last) * self.oversampling)

    def coverage(self, inside: Floats) -> Floats:
        """Opacity of a shape from the distance inside its edge, in widths: a ramp one sample wide."""
        return np.clip(inside * np.float32(self.samples_per_width) + np.float32(0.5), 0.0, 1.0)

    def noise(self, rng: np.random.Generator, cells_per_width: float) -> Floats:
        """Smooth noise over the whole canvas, mean 0, deviation about 1: a cubic B-spline on a random lattice."""
        num = int(np.ceil((1.0 + 2.0 * MARGIN) * cells_per_width)) + 6
        lattice = rng.uniform(-1.0, 1.0, (num, num)).astype(np.float32) * np.float32(np.sqrt(3.0) / 0.48)
        position = (self.coordinates + 0.5 + MARGIN) * np.float32(cells_per_width) + np.float32(1.5)
        position = np.clip(position, 1.0, num - 3.001)
        first = position.astype(np.int64)
        t = position - first
        weights = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
        down = sum(w[:, None] * lattice[first - 1 + k] for k, w in enumerate(weights))
        across = sum(w[:, None] * down.T[first - 1 + k] for k, w in enumerate(weights))
        return across.T.astype(np.float32)


def to_layer(
    canvas: Canvas, window: Window, alpha: Floats, colour: Floats, plane: Plane, *, is_subject: bool = False
) -> Layer:
    """Drawn samples (alpha [h,w], linear colour [3,h,w]) box-filtered to a layer of one texel a pixel."""
    k = canvas.oversampling
    texture = np.concatenate([colour * alpha, alpha[None]])
    channels, h, w = texture.shape
    filtered = texture.reshape(channels, h // k, k, w // k, k).sum(axis=4).sum(axis=2) / np.float32(k * k)
    row = window.rows.start // k - canvas.margin_px
    column = window.columns.start // k - canvas.margin_px
    return Layer(np.ascontiguousarray(filtered, np.float32), row, column, plane, is_subject)


def rotated(window: Window, x: float, y: float, angle: float) -> tuple[Floats, Floats]:
    """Coordinates [h,w] along and across a direction, from the point (x, y)."""
    dx, dy = window.x - np.float32(x), window.y - np.float32(y)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return dx * c + dy * s, dy * c - dx * s


def mix(first: Floats, second: Floats, share: Floats) -> Floats:
    """Two colours [3] mixed by a share [h,w]: [3,h,w]."""
    return first[:, None, None] + (second - first)[:, None, None] * share


def smoothstep(low: float, high: float, value: Floats) -> NDArray[np.float32]:
    t = np.clip((value - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
