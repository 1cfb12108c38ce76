"""What the photo is of: a flower, a leaf or a fruit in focus, of little relief, near the middle but often off it."""

from typing import NamedTuple

import numpy as np

from argan.scenes.canvas import Canvas, Part, noise
from argan.scenes.lens import D_MAX, Layer, Plane
from argan.scenes.palette import AIR, BLOSSOMS, EARTH, FOLIAGE, Paint, pick
from argan.scenes.shapes import Finish, Place, flower, fruit, leaf

RELIEF = 0.12  # of D_MAX: how far a heart or a leaf's half leaves the focal plane
FLAT_SHARE = 0.3
SHAPES = (flower, leaf, fruit)
SHAPE_SHARES = (0.55, 0.22, 0.23)
FAMILIES = (BLOSSOMS, FOLIAGE, BLOSSOMS + FOLIAGE + EARTH + AIR[1:])


class Subject(NamedTuple):
    layers: list[Layer]  # front first
    place: Place
    shape: int  # index into SHAPES
    paints: tuple[Paint, Paint]
    is_smooth: bool


def subject(canvas: Canvas, rng: np.random.Generator) -> Subject:
    shape = int(rng.choice(len(SHAPES), p=SHAPE_SHARES))
    place = draw_place(rng, shape)
    paints = draw_paints(rng, shape)
    is_smooth = bool(rng.uniform() < FLAT_SHARE)
    texture = float(rng.uniform(0.0, 0.08) if is_smooth else rng.uniform(0.5, 1.3))
    window = canvas.around(place.x, place.y, 1.1 * place.radius)
    grain = noise(window, rng, float(rng.uniform(14.0, 30.0)))
    parts = SHAPES[shape](canvas, window, rng, place, Finish(*paints, texture, grain))
    steepest = 0.4 * RELIEF * D_MAX / place.radius
    tilt = rng.uniform(-steepest, steepest, 2)
    layers = []
    for depth, part in enumerate(parts):
        b_x, b_y = (tilt + rng.uniform(-steepest, steepest, 2)).tolist()
        level = RELIEF * D_MAX * (0.5 - depth) / len(parts)
        plane = Plane(level - b_x * place.x - b_y * place.y, b_x, b_y)
        layers.append(canvas.layer(window, part, plane, is_subject=True))
    if shape != SHAPES.index(leaf) and rng.uniform() < 0.6:
        layers.append(stem(canvas, rng, place))
    return Subject(layers, place, shape, paints, is_smooth)


def draw_place(rng: np.random.Generator, shape: int) -> Place:
    """Near the middle, in more than half of the photos well off it."""
    spread = 0.1 if rng.uniform() < 0.4 else 0.27
    x, y = np.clip(rng.normal(0.0, spread, 2), -0.36, 0.36).tolist()
    radius = float(rng.uniform(0.3, 0.62)) * (1.2 if SHAPES[shape] is leaf else 1.0)
    angle, tilt = rng.uniform(0.0, 2.0 * np.pi, 2).tolist()
    return Place(x, y, radius, angle, float(rng.uniform(0.65, 1.0)), tilt)


def draw_paints(rng: np.random.Generator, shape: int) -> tuple[Paint, Paint]:
    main = pick(rng, FAMILIES[shape])
    return main, main.kin(rng, 0.8) if rng.uniform() < 0.6 else pick(rng, FAMILIES[shape])


def stem(canvas: Canvas, rng: np.random.Generator, place: Place) -> Layer:
    """A stalk from behind the subject to the lower edge, leaning back a little."""
    light = pick(rng, FOLIAGE[:3]).light[:, None, None]
    lean, bend = rng.uniform(-0.3, 0.3, 2).tolist()
    width = np.float32(rng.uniform(0.008, 0.022))
    window = canvas.window(place.x - 0.35, place.x + 0.35, place.y, 1.0)
    down = np.maximum(window.y - np.float32(place.y), 0.0)
    across = np.abs(window.x - np.float32(place.x) - np.float32(lean) * down - np.float32(bend) * down * down)
    round_light = 1.0 - 0.5 * np.minimum(across / width, 1.0)
    part = Part(canvas.coverage(np.minimum(width - across, window.y - np.float32(place.y))), light * round_light)
    slope = -0.08 * D_MAX
    return canvas.layer(window, part, Plane(-slope * place.y - 0.04 * D_MAX, 0.0, slope), is_subject=True)
