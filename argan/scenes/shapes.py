"""Flowers, leaves and fruits, each a list of flat parts, front first."""

from typing import NamedTuple

import numpy as np

from argan.scenes.canvas import Canvas, Part, Window, flatten, mix, rotated, smoothstep
from argan.scenes.lens import Floats
from argan.scenes.palette import Paint

TURN = 2.0 * np.pi


class Place(NamedTuple):
    """Where a thing is, in widths, how it is turned, and how foreshortened: `squash` across the direction of `tilt`."""

    x: float
    y: float
    radius: float
    angle: float = 0.0
    squash: float = 1.0
    tilt: float = 0.0

    def local(self, window: Window) -> tuple[Floats, Floats]:
        """Coordinates [h,w] in which the thing has radius 1, stands upright and is seen from the front."""
        along, across = rotated(window, self.x, self.y, self.tilt)
        across = across * np.float32(1.0 / self.squash)
        turn = self.angle - self.tilt
        c, s = np.float32(np.cos(turn) / self.radius), np.float32(np.sin(turn) / self.radius)
        return along * c + across * s, across * c - along * s


class Finish(NamedTuple):
    """How a surface looks: two colours, how strong its texture is (0: flat), and noise [h,w] of deviation 1."""

    main: Paint
    second: Paint
    texture: float
    grain: Floats

    def shade(self, colour: Floats, pattern: Floats) -> Floats:
        """A colour [3,h,w] with texture: pattern [h,w] in -1..1."""
        relief = np.float32(0.45 * self.texture) * pattern + np.float32(0.22 * self.texture) * self.grain
        return colour * np.maximum(relief + np.float32(1.0), np.float32(0.1))


def blade(t: Floats, across: Floats, width: float, tip: float) -> tuple[Floats, Floats]:
    """A petal or leaf along t in 0..1, pointed at tip 1: how far inside its edge, and its half-width there."""
    within = np.clip(t, 0.0, 1.0)
    square = within * within
    half_width = np.float32(1.35 * width) * np.sqrt(within * (1.0 - square * within)) * (1.0 - np.float32(tip) * square)
    return half_width - across - 4.0 * np.abs(t - within), half_width


def flower(canvas: Canvas, window: Window, rng: np.random.Generator, place: Place, finish: Finish) -> list[Part]:
    """A heart, and one to three rings of petals."""
    num_petals, num_rings = int(rng.integers(4, 10)), int(rng.integers(1, 4))
    heart_radius = float(rng.uniform(0.14, 0.38))
    broad, tip = float(rng.uniform(0.8, 1.3)), float(rng.uniform(0.0, 0.8))
    x, y = place.local(window)
    r, theta = np.sqrt(x * x + y * y), np.arctan2(y, x)
    size = np.float32(place.radius)
    dots = np.cos(r * np.float32(38.0)) * np.cos(theta * np.float32(9.0))
    height = np.maximum(1.15 - np.float32(0.55 / heart_radius**2) * r * r, np.float32(0.35))
    dome = finish.second.kin(rng, 0.6).light[:, None, None] * height
    heart = Part(canvas.coverage((np.float32(heart_radius) - r) * size), finish.shade(dome, dots))
    rings = []
    for ring in range(num_rings):
        phase = float(ring * np.pi / num_petals + rng.uniform(-0.15, 0.15))
        length = 1.0 if num_rings == 1 else 0.6 + 0.4 * ring / (num_rings - 1)
        per_length = (1.0 / (length * rng.uniform(0.85, 1.0, num_petals))).astype(np.float32)
        tones = rng.uniform(0.72, 1.1, num_petals).astype(np.float32)
        turned = theta - np.float32(phase)
        sector = np.rint(turned * np.float32(num_petals / TURN))
        within = turned - sector * np.float32(TURN / num_petals)
        petal = sector.astype(np.int32) % num_petals
        t, across = r * np.cos(within) * per_length.take(petal), np.abs(r * np.sin(within))
        inside, half_width = blade(t, across, broad * 2.0 / num_petals, tip)
        side = np.minimum(across / np.maximum(half_width, np.float32(0.02)), 1.0)
        veins = np.cos(side * 9.0 + finish.grain * 0.5)
        tone = tones.take(petal) * (1.0 - 0.4 * side * side * side)
        colour = mix(finish.second.light, finish.main.light, smoothstep(0.15, 0.75, t)) * tone
        rings.append(Part(canvas.coverage(inside * size), finish.shade(colour, veins)))
    return [heart, flatten(rings)]


def leaf(canvas: Canvas, window: Window, rng: np.random.Generator, place: Place, finish: Finish) -> list[Part]:
    """A leaf folded along its midrib: two halves."""
    width, tip = float(rng.uniform(0.45, 0.8)), float(rng.uniform(0.2, 1.0))
    bend, num_veins = float(rng.uniform(-0.25, 0.25)), float(rng.uniform(10.0, 22.0))
    tones = rng.uniform(0.7, 1.1, 2).astype(np.float32)
    x, y = place.local(window)
    y = y - np.float32(bend) * (x * x - 0.5)
    t, across = 0.5 + 0.5 * x, np.abs(y)
    inside, _ = blade(t, across, width, tip)
    veins = np.cos(np.float32(2.0 * num_veins) * (t - 0.7 * across))
    rib = np.clip(0.3 * t + smoothstep(0.06, 0.02, across), 0.0, 1.0)
    colour = finish.shade(mix(finish.main.light, finish.second.light, rib), veins * veins * veins)
    alpha, upper = canvas.coverage(inside * np.float32(place.radius)), canvas.coverage(y * np.float32(place.radius))
    return [Part(alpha * upper, colour * tones[0]), Part(alpha * (1.0 - upper), colour * tones[1])]


def fruit(canvas: Canvas, window: Window, rng: np.random.Generator, place: Place, finish: Finish) -> list[Part]:
    """A round lump lit from one side: a berry, a pebble, a bud, a cap."""
    x, y = place.local(window)
    r, theta = np.sqrt(x * x + y * y), np.arctan2(y, x)
    edge = np.full_like(r, 0.88)
    for order in (2, 3, 4):
        edge += np.float32(rng.uniform(0.0, 0.14) / order) * np.cos(theta * order + np.float32(rng.uniform(0.0, TURN)))
    ratio = np.minimum(r / edge, 1.0)
    light = float(rng.uniform(0.0, TURN))
    lit = 0.75 + x * np.float32(0.5 * np.cos(light)) + y * np.float32(0.5 * np.sin(light))
    stripes = np.cos(theta * int(rng.integers(4, 12))) * smoothstep(0.1, 0.6, ratio)
    spots = smoothstep(0.2, 0.6, finish.grain) * 2.0 - 1.0
    pattern = stripes if rng.uniform() < 0.4 else spots
    share = smoothstep(0.0, 1.2, finish.grain) * np.float32(min(finish.texture, 1.0))
    ball = np.maximum(lit * (1.1 - 0.4 * ratio * ratio * ratio), np.float32(0.1))
    colour = finish.shade(mix(finish.main.light, finish.second.light, share) * ball, pattern)
    return [Part(canvas.coverage((edge - r) * np.float32(place.radius)), colour)]
