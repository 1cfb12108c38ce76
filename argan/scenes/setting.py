"""What is around the subject: a backdrop, a ground, other plants behind it, sometimes a leaf before it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from argan.scenes.canvas import Canvas, Part, Window, flatten, noise, smoothstep
from argan.scenes.grounds import foliage, grass, haze, litter
from argan.scenes.lens import D_MAX, Floats, Layer, Plane
from argan.scenes.palette import AIR, EARTH, FOLIAGE, Family, Paint, pick
from argan.scenes.shapes import TURN, Finish, Place, leaf
from argan.scenes.subjects import SHAPES, Subject, draw_paints


class Stuff(NamedTuple):
    """What a ground or backdrop may be made of, and how often."""

    draw: Callable[[Canvas, Window, np.random.Generator, Paint], Floats]
    families: tuple[Family, ...]
    share: float


BACKDROPS = (
    Stuff(haze, AIR, 0.12),
    Stuff(foliage, FOLIAGE + EARTH + AIR[1:], 0.3),
    Stuff(litter, FOLIAGE + EARTH + AIR[1:], 0.38),
    Stuff(grass, FOLIAGE + EARTH, 0.2),
)
GROUNDS = BACKDROPS[1:]


def draw(canvas: Canvas, window: Window, rng: np.random.Generator, kinds: tuple[Stuff, ...]) -> Floats:
    shares = np.array([stuff.share for stuff in kinds])
    stuff = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
    return stuff.draw(canvas, window, rng, pick(rng, stuff.families))


def setting(canvas: Canvas, rng: np.random.Generator, figure: Subject) -> list[Layer]:
    """A ground in half of the photos, and the backdrop, which covers the rest."""
    far = -D_MAX * float(rng.uniform(0.55, 0.9))
    if rng.uniform() < 0.5:
        horizon = float(rng.uniform(-0.45, 0.15))
        return [ground(canvas, rng, far, horizon, figure), backdrop(canvas, rng, far, horizon + 0.1)]
    return [backdrop(canvas, rng, far, 1.0)]


def backdrop(canvas: Canvas, rng: np.random.Generator, far: float, bottom: float) -> Layer:
    """A slanted wall down to `bottom`; below that a ground hides it."""
    window = canvas.window(-1.0, 1.0, -1.0, bottom)
    steepest = 0.95 * D_MAX + far  # so that no corner leaves the aperture's range
    b_x, b_y = rng.uniform(-steepest, steepest, 2).tolist()
    colour = draw(canvas, window, rng, BACKDROPS)
    return canvas.layer(window, Part(np.ones_like(colour[0]), colour), Plane(far, b_x, b_y))


def ground(canvas: Canvas, rng: np.random.Generator, far: float, horizon: float, figure: Subject) -> Layer:
    """A plane from the horizon, as far as the backdrop, to just behind the subject's foot, and nearer below that."""
    window = canvas.window(-1.0, 1.0, horizon - 0.08, 1.0)
    foot = max(min(figure.place.y + figure.place.radius, 0.55), horizon + 0.25)
    slope = min(-0.85 * far / (foot - horizon), (0.4 * D_MAX - far) / (0.5 - horizon))
    edge = window.y - np.float32(horizon) + 0.015 * noise(window, rng, 6.0)
    part = Part(smoothstep(-0.015, 0.015, edge), draw(canvas, window, rng, GROUNDS))
    return canvas.layer(window, part, Plane(far - slope * horizon, float(rng.uniform(-0.05, 0.05)) * slope, slope))


def behind(canvas: Canvas, rng: np.random.Generator, figure: Subject) -> list[Layer]:
    """Up to six other flowers, leaves and fruits, nearer ones first; in some photos kin of the subject."""
    levels = np.sort(rng.uniform(0.3, 0.85, int(rng.integers(0, 7)))).tolist()
    is_kin = bool(rng.uniform() < 0.4)
    return [plant(canvas, rng, -level * D_MAX, figure, is_kin) for level in levels]


def plant(canvas: Canvas, rng: np.random.Generator, level: float, figure: Subject, is_kin: bool) -> Layer:
    shape = figure.shape if is_kin else int(rng.integers(len(SHAPES)))
    paints = figure.paints if is_kin else draw_paints(rng, shape)
    x, y = rng.uniform(-0.55, 0.55, 2).tolist()
    radius = float(rng.uniform(0.3, 0.8)) * figure.place.radius if is_kin else float(rng.uniform(0.08, 0.28))
    place = Place(x, y, radius, float(rng.uniform(0.0, TURN)), float(rng.uniform(0.5, 1.0)))
    window = canvas.around(x, y, 1.1 * radius)
    grain = noise(window, rng, float(rng.uniform(12.0, 26.0)))
    parts = SHAPES[shape](canvas, window, rng, place, Finish(*paints, float(rng.uniform(0.3, 1.2)), grain))
    b_x, b_y = rng.uniform(-0.2 * D_MAX, 0.2 * D_MAX, 2).tolist()
    return canvas.layer(window, flatten(parts), Plane(level - b_x * x - b_y * y, b_x, b_y))


def before(canvas: Canvas, rng: np.random.Generator) -> list[Layer]:
    """In a quarter of the photos, a leaf before the focal plane, at the picture's edge."""
    if rng.uniform() > 0.25:
        return []
    side = float(rng.uniform(0.0, TURN))
    x, y = 0.6 * float(np.cos(side)), 0.6 * float(np.sin(side))
    radius, squash = float(rng.uniform(0.15, 0.3)), float(rng.uniform(0.6, 1.0))
    place = Place(x, y, radius, side + float(rng.uniform(0.6, 2.5)), squash)
    window = canvas.around(x, y, 1.1 * radius)
    grain = noise(window, rng, 18.0)
    parts = leaf(canvas, window, rng, place, Finish(*draw_paints(rng, 1), float(rng.uniform(0.2, 1.0)), grain))
    return [canvas.layer(window, flatten(parts), Plane(D_MAX * float(rng.uniform(0.3, 0.9))))]
