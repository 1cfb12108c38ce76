"""Where textures are drawn: the picture and a margin, several samples a pixel, in coordinates free of resolution."""

from typing import NamedTuple

import numpy as np

from argan.scenes.lens import Floats, Layer, Plane

MARGIN = 0.125  # of the width on each side: views look that far beyond the edge
LEAST_SAMPLES = 128  # a side, over the picture: what a texture needs not to alias before its box filter


class Window(NamedTuple):
    """A rectangle of whole pixels, its samples' coordinates in widths: x [1,w], y [h,1], y down."""

    rows: slice  # of the canvas, in samples
    columns: slice
    x: Floats
    y: Floats


class Part(NamedTuple):
    """Something flat, drawn in a window."""

    alpha: Floats  # [h,w]
    colour: Floats  # [3,h,w] linear RGB


class Canvas:
    """A square grid of samples over [-0.5, 0.5] and a margin."""

    def __init__(self, resolution: int) -> None:
        self.resolution = resolution
        self.oversampling = max(2, -(-LEAST_SAMPLES // resolution))
        self.margin_px = int(np.ceil(MARGIN * resolution))
        self.size_px = resolution + 2 * self.margin_px
        self.samples_per_width = resolution * self.oversampling
        centres = (np.arange(self.size_px * self.oversampling) + 0.5) / self.samples_per_width
        self.coordinates: Floats = (centres - 0.5 - self.margin_px / resolution).astype(np.float32)
        self.whole = self.window(-1.0, 1.0, -1.0, 1.0)

    def window(self, left: float, right: float, top: float, bottom: float) -> Window:
        """The samples between, in whole pixels with one to spare, cut at the canvas's edge."""
        columns, rows = self._span(left, right), self._span(top, bottom)
        return Window(rows, columns, self.coordinates[None, columns], self.coordinates[rows, None])

    def around(self, x: float, y: float, radius: float) -> Window:
        return self.window(x - radius, x + radius, y - radius, y + radius)

    def _span(self, low: float, high: float) -> slice:
        first = int(np.floor((low + 0.5) * self.resolution)) + self.margin_px - 1
        last = int(np.ceil((high + 0.5) * self.resolution)) + self.margin_px + 1
        first = min(max(first, 0), self.size_px - 1)
        last = min(max(last, first + 1), self.size_px)
        return slice(first * self.oversampling, last * self.oversampling)

    def coverage(self, inside: Floats) -> Floats:
        """Opacity of a shape from the distance inside its edge, in widths: a ramp one sample wide."""
        return np.clip(inside * np.float32(self.samples_per_width) + np.float32(0.5), 0.0, 1.0)

    def layer(self, window: Window, part: Part, plane: Plane, *, is_subject: bool = False) -> Layer:
        """A part, box-filtered to one texel a pixel and cropped to where it is, on a plane."""
        k = self.oversampling
        samples = np.concatenate([part.colour * part.alpha, part.alpha[None]])
        total = sum(samples[:, i::k, j::k] for i in range(k) for j in range(k))
        texture = np.asarray(total, np.float32) * np.float32(1.0 / (k * k))
        rows, columns = _extent(texture[3].any(axis=1)), _extent(texture[3].any(axis=0))
        return Layer(
            texture=np.ascontiguousarray(texture[:, rows, columns]),
            row=window.rows.start // k + rows.start - self.margin_px,
            column=window.columns.start // k + columns.start - self.margin_px,
            plane=plane,
            is_subject=is_subject,
        )


def _extent(filled: np.ndarray) -> slice:
    """From one before the first true to one after the last: the border stays transparent where the shape ends."""
    where = np.flatnonzero(filled)
    return slice(max(int(where[0]) - 1, 0), int(where[-1]) + 2) if where.size else slice(0, 1)


def flatten(parts: list[Part]) -> Part:
    """Parts of one window, front first, as one."""
    front, *rest = parts
    alpha = front.alpha.copy()
    light: Floats = front.colour * alpha
    for part in rest:
        shows = (1.0 - alpha) * part.alpha
        alpha += shows
        light += part.colour * shows
    light /= np.maximum(alpha, np.float32(1e-3))
    return Part(alpha, light)


def noise(window: Window, rng: np.random.Generator, cells_per_width: float) -> Floats:
    """Smooth noise [h,w], mean 0, deviation about 1: a cubic B-spline on a random lattice."""
    num = int((1.0 + 4.0 * MARGIN) * cells_per_width) + 5
    lattice = rng.uniform(-3.6, 3.6, (num, num)).astype(np.float32)
    down = _spline(lattice, window.y[:, 0], cells_per_width)
    return np.ascontiguousarray(_spline(down.T, window.x[0], cells_per_width).T)


def _spline(lattice: Floats, coordinates: Floats, cells_per_width: float) -> Floats:
    position = (coordinates + np.float32(0.5 + 2.0 * MARGIN)) * np.float32(cells_per_width) + np.float32(1.0)
    floor = np.floor(position)
    first, t = floor.astype(np.int32), position - floor
    rest = 1.0 - t
    inner, outer = (3.0 * t - 6.0) * t * t + 4.0, (3.0 * rest - 6.0) * rest * rest + 4.0
    weights = (rest * rest * rest, inner, outer, t * t * t)
    total = weights[0][:, None] * lattice.take(first - 1, axis=0)
    for k in (1, 2, 3):
        total += weights[k][:, None] * lattice.take(first - 1 + k, axis=0)
    return total * np.float32(1.0 / 6.0)


def rotated(window: Window, x: float, y: float, angle: float) -> tuple[Floats, Floats]:
    """Coordinates [h,w] along and across a direction, from the point (x, y)."""
    dx, dy = window.x - np.float32(x), window.y - np.float32(y)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return dx * c + dy * s, dy * c - dx * s


def mix(first: Floats, second: Floats, share: Floats) -> Floats:
    """Two colours [3] mixed by a share [h,w]: [3,h,w]."""
    return first[:, None, None] + (second - first)[:, None, None] * share


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    t = np.clip((value - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
