"""What the photo is of: a flower, a leaf or a fruit in focus, of little relief, near the middle but often off it."""

from typing import NamedTuple

import numpy as np

from argan.scenes.canvas import Canvas, rotated, to_layer
from argan.scenes.lens import Layer, Plane
from argan.scenes.palette import AIR, BLOSSOMS, EARTH, FOLIAGE, Paint, pick
from argan.scenes.shapes import Finish, Place, flower, fruit, leaf

RELIEF = 0.12  # of d_max: how far petals and leaf halves leave the focal plane
FLAT_SHARE = 0.3
SHAPES = (flower, leaf, fruit)


class Subject(NamedTuple):
    layers: list[Layer]  # front first
    place: Place
    shape: int  # index into SHAPES
    paints: tuple[Paint, Paint]
    is_smooth: bool


def draw_place(rng: np.random.Generator, shape: int) -> Place:
    """Near the middle, in one photo of three well off it."""
    spread = 0.17 if rng.uniform() < 0.35 else 0.08
    x, y = np.clip(rng.normal(0.0, spread, 2), -0.3, 0.3)
    radius = float(np.exp(rng.uniform(np.log(0.24), np.log(0.5)))) * (1.2 if shape == 1 else 1.0)
    return Place(
        x=float(x),
        y=float(y),
        radius=radius,
        angle=float(rng.uniform(0, 2 * np.pi)),
        squash=float(rng.uniform(0.65, 1.0)),
        tilt=float(rng.uniform(0, np.pi)),
    )


def draw_paints(rng: np.random.Generator, shape: int) -> tuple[Paint, Paint]:
    families = (BLOSSOMS, FOLIAGE, BLOSSOMS + FOLIAGE + EARTH + AIR[1:])[shape]
    main = pick(rng, families)
    second = main.kin(rng, 0.8) if rng.uniform() < 0.6 else pick(rng, BLOSSOMS if shape == 0 else families)
    return main, second


def subject(canvas: Canvas, rng: np.random.Generator, d_max: float) -> Subject:
    shape = int(rng.choice(3, p=[0.55, 0.22, 0.23]))
    place = draw_place(rng, shape)
    paints = draw_paints(rng, shape)
    is_smooth = bool(rng.uniform() < FLAT_SHARE)
    strength = float(rng.uniform(0.0, 0.08) if is_smooth else rng.uniform(0.5, 1.3))
    window = canvas.window(place.x, place.y, 1.1 * place.radius)
    noise = canvas.noise(rng, float(rng.uniform(14.0, 30.0)))[window.rows, window.columns]
    parts = SHAPES[shape](canvas, window, rng, place, Finish(*paints, strength, noise))
    tilt = rng.uniform(-1.0, 1.0, 2) * 0.4 * RELIEF * d_max / place.radius
    layers = []
    for depth, part in enumerate(parts):
        slant = tilt + rng.uniform(-1.0, 1.0, 2) * 0.4 * RELIEF * d_max / place.radius
        level = RELIEF * d_max * (0.5 - depth) / len(parts)
        plane = Plane(level - float(slant @ (place.x, place.y)), float(slant[0]), float(slant[1]))
        layers.append(to_layer(canvas, window, part.alpha, part.colour, plane, is_subject=True))
    if shape != 1 and rng.uniform() < 0.6:
        layers.append(stem(canvas, rng, place, d_max))
    return Subject(layers, place, shape, paints, is_smooth)


def stem(canvas: Canvas, rng: np.random.Generator, place: Place, d_max: float) -> Layer:
    """A stalk from behind the subject to the lower edge, leaning back a little."""
    paint = pick(rng, FOLIAGE[:3])
    lean, bend, width = rng.uniform(-0.3, 0.3), rng.uniform(-0.4, 0.4), rng.uniform(0.008, 0.022)
    window = canvas.window(place.x, place.y + 0.5, 0.5)
    down = np.maximum(window.y - np.float32(place.y), 0.0)
    _, across = rotated(window, place.x, place.y, np.pi / 2)
    across = across + np.float32(lean) * down + np.float32(bend) * down * down
    round_light = 1.0 - 0.5 * np.minimum(np.abs(across) / np.float32(width), 1.0) ** 2
    alpha = canvas.coverage(np.where(window.y > place.y, np.float32(width) - np.abs(across), -1.0))
    colour = paint.light[:, None, None] * round_light
    back = -0.15 * d_max
    slope = back / 0.5
    return to_layer(canvas, window, alpha, colour, Plane(-slope * place.y + 0.3 * back, 0.0, slope), is_subject=True)
