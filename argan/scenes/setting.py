"""What is around the subject: a backdrop, a ground, other plants behind it, sometimes a leaf before it."""

from collections.abc import Callable

import numpy as np

from argan.scenes.canvas import Canvas, smoothstep, to_layer
from argan.scenes.grounds import blotches, grass, haze, litter
from argan.scenes.lens import Floats, Layer, Plane
from argan.scenes.palette import AIR, BLOSSOMS, EARTH, FOLIAGE, Family, Paint, pick
from argan.scenes.shapes import Finish, Place, leaf
from argan.scenes.subjects import SHAPES, Subject, draw_paints

Drawing = Callable[[Canvas, np.random.Generator, Paint], Floats]
BACKDROPS: tuple[tuple[Drawing, tuple[Family, ...], float], ...] = (
    (haze, AIR, 0.12),
    (blotches, FOLIAGE + EARTH + AIR, 0.3),
    (litter, FOLIAGE + EARTH + BLOSSOMS + AIR, 0.38),
    (grass, FOLIAGE + EARTH, 0.2),
)
GROUNDS = BACKDROPS[1:]


def draw(
    canvas: Canvas, rng: np.random.Generator, kinds: tuple[tuple[Drawing, tuple[Family, ...], float], ...]
) -> Floats:
    shares = np.array([share for _, _, share in kinds])
    drawing, families, _ = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
    return drawing(canvas, rng, pick(rng, families))


def setting(canvas: Canvas, rng: np.random.Generator, d_max: float, figure: Subject) -> list[Layer]:
    """A ground in half of the photos, and the backdrop, which covers all."""
    layers = []
    far = -d_max * float(rng.uniform(0.6, 1.0))
    if rng.uniform() < 0.5:
        layers.append(ground(canvas, rng, far, figure))
    slant = rng.uniform(-0.35, 0.35, 2) * d_max
    opaque = np.ones((len(canvas.coordinates), len(canvas.coordinates)), np.float32)
    plane = Plane(far, float(slant[0]), float(slant[1]))
    return [*layers, to_layer(canvas, canvas.whole, opaque, draw(canvas, rng, BACKDROPS), plane)]


def ground(canvas: Canvas, rng: np.random.Generator, far: float, figure: Subject) -> Layer:
    """A plane from the horizon, as far as the backdrop, to a little behind the subject's foot, and nearer below that."""
    horizon = float(rng.uniform(-0.45, 0.15))
    foot = max(min(figure.place.y + figure.place.radius, 0.55), horizon + 0.25)
    slope = -0.9 * far / (foot - horizon)
    tilt = float(rng.uniform(-0.2, 0.2)) * slope
    colour = draw(canvas, rng, GROUNDS)
    edge = canvas.whole.y - np.float32(horizon) + 0.02 * canvas.noise(rng, 6.0)
    plane = Plane(far - slope * horizon, tilt, slope)
    return to_layer(canvas, canvas.whole, smoothstep(-0.015, 0.015, edge), colour, plane)


def behind(canvas: Canvas, rng: np.random.Generator, d_max: float, figure: Subject) -> list[Layer]:
    """Up to two planes of other flowers, leaves and fruits, nearer ones first; often kin of the subject."""
    levels = np.sort(rng.uniform(0.3, 0.95, int(rng.integers(0, 3))))
    return [plants(canvas, rng, -float(level) * d_max, figure, d_max) for level in levels]


def plants(canvas: Canvas, rng: np.random.Generator, level: float, figure: Subject, d_max: float) -> Layer:
    shape_hw = (len(canvas.coordinates), len(canvas.coordinates))
    alpha, light = np.zeros(shape_hw, np.float32), np.zeros((3, *shape_hw), np.float32)
    noise = canvas.noise(rng, float(rng.uniform(12.0, 26.0)))
    like_subject = rng.uniform() < 0.4
    for _ in range(int(rng.integers(2, 6))):
        shape = figure.shape if like_subject else int(rng.integers(3))
        paints = figure.paints if like_subject else draw_paints(rng, shape)
        x, y = rng.uniform(-0.55, 0.55, 2)
        radius = float(figure.place.radius * rng.uniform(0.3, 0.8) if like_subject else rng.uniform(0.08, 0.25))
        place = Place(float(x), float(y), radius, float(rng.uniform(0, 6.3)), float(rng.uniform(0.5, 1.0)))
        window = canvas.window(place.x, place.y, 1.1 * place.radius)
        here = np.s_[window.rows, window.columns]
        for part in reversed(SHAPES[shape](canvas, window, rng, place, Finish(*paints, 0.9, noise[here]))):
            alpha[here] += (1.0 - alpha[here]) * part.alpha
            there = (slice(None), *here)
            light[there] += (part.colour - light[there]) * part.alpha
    slant = rng.uniform(-0.3, 0.3, 2) * d_max
    colour = np.where(alpha > 0, light / np.maximum(alpha, 1e-3), 0.0)
    return to_layer(canvas, canvas.whole, alpha, colour, Plane(level, float(slant[0]), float(slant[1])))


def before(canvas: Canvas, rng: np.random.Generator, d_max: float, figure: Subject) -> list[Layer]:
    """In a third of the photos, a leaf before the focal plane, at the picture's edge."""
    if rng.uniform() > 0.35:
        return []
    side = float(rng.uniform(0, 2 * np.pi))
    place = Place(
        x=0.6 * float(np.cos(side)),
        y=0.6 * float(np.sin(side)),
        radius=float(rng.uniform(0.15, 0.3)),
        angle=side + float(rng.uniform(0.6, 2.5)),
        squash=float(rng.uniform(0.6, 1.0)),
    )
    window = canvas.window(place.x, place.y, 1.1 * place.radius)
    noise = canvas.noise(rng, 18.0)[window.rows, window.columns]
    parts = leaf(canvas, window, rng, place, Finish(*draw_paints(rng, 1), float(rng.uniform(0.2, 1.0)), noise))
    level = d_max * float(rng.uniform(0.3, 1.0))
    return [to_layer(canvas, window, part.alpha, part.colour, Plane(level)) for part in parts]
