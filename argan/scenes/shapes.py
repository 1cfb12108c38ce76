"""Flowers, leaves and fruits, each a list of flat parts, front first: where a part covers, and its linear colour."""

from typing import NamedTuple

import numpy as np

from argan.scenes.canvas import Canvas, Window, mix, rotated, smoothstep
from argan.scenes.lens import Floats
from argan.scenes.palette import Paint


class Part(NamedTuple):
    alpha: Floats  # [h,w]
    colour: Floats  # [3,h,w]


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
    """How a surface looks: its two colours, and how strong texture is, 0 for flat. Noise [h,w] is shared by the parts."""

    main: Paint
    second: Paint
    texture: float
    noise: Floats  # deviation about 1

    def shade(self, colour: Floats, pattern: Floats) -> Floats:
        """Texture on a colour: pattern in -1..1."""
        return colour * np.maximum(1.0 + np.float32(self.texture) * (0.45 * pattern + 0.22 * self.noise), 0.1)


def blade(t: Floats, width: float, tip: float) -> Floats:
    """Half-width of a petal or leaf along t in 0..1: widest near t = 1 for a small tip, near the middle at tip 1."""
    inside = np.clip(t, 0.0, 1.0)
    return np.float32(width) * np.sqrt(inside * (1.0 - inside**3) ** np.float32(1.0 + tip)) * np.float32(1.3)


def flower(canvas: Canvas, window: Window, rng: np.random.Generator, place: Place, finish: Finish) -> list[Part]:
    """A heart and one to four rings of petals."""
    num_petals = int(rng.integers(4, 9))
    num_rings = int(rng.integers(1, 4))
    heart_radius = float(rng.uniform(0.14, 0.38))
    heart_paint = finish.second.kin(rng, 0.6)
    broad, tip = float(rng.uniform(0.75, 1.25)), float(rng.uniform(-0.3, 1.2))
    x, y = place.local(window)
    r = np.sqrt(x * x + y * y)
    theta = np.arctan2(y, x)
    dots = np.cos(r * np.float32(38.0)) * np.cos(theta * 9.0)
    dome = 1.15 - 0.55 * np.minimum(r / np.float32(heart_radius), 1.2) ** 2
    heart = finish.shade(heart_paint.light[:, None, None] * dome, dots)
    parts = [Part(canvas.coverage((np.float32(heart_radius) - r) * np.float32(place.radius)), heart)]
    for ring in range(num_rings):
        phase = ring * np.pi / num_petals + float(rng.uniform(-0.15, 0.15))
        length = 1.0 if num_rings == 1 else float(rng.uniform(0.62, 0.72) + 0.38 * ring / (num_rings - 1)) / 1.1
        lengths = (length * rng.uniform(0.85, 1.0, num_petals)).astype(np.float32)
        tones = rng.uniform(0.72, 1.1, num_petals).astype(np.float32)
        sector = np.rint((theta - np.float32(phase)) * np.float32(num_petals / (2 * np.pi)))
        within = theta - np.float32(phase) - sector * np.float32(2 * np.pi / num_petals)
        petal = sector.astype(np.int64) % num_petals
        t = r * np.cos(within) / lengths[petal]
        across = np.abs(r * np.sin(within))
        half_width = blade(t, broad * 2.0 / num_petals, tip)
        inside = np.where(np.abs(t - 0.5) < 0.5, half_width - across, -1.0)
        side = across / np.maximum(half_width, 0.02)
        veins = np.cos(side * np.float32(9.0) + finish.noise * 0.5)
        colour = mix(finish.second.light, finish.main.light, smoothstep(0.15, 0.75, t)) * tones[petal]
        colour = finish.shade(colour * (1.0 - 0.4 * np.minimum(side, 1.0) ** 3), veins)
        parts.append(Part(canvas.coverage(inside * np.float32(place.radius)), colour))
    return parts


def leaf(canvas: Canvas, window: Window, rng: np.random.Generator, place: Place, finish: Finish) -> list[Part]:
    """A leaf folded along its midrib: two halves."""
    width, tip = float(rng.uniform(0.45, 0.95)), float(rng.uniform(0.0, 1.2))
    bend, teeth = float(rng.uniform(-0.35, 0.35)), float(rng.choice([0.0, 0.0, 0.05]))
    num_veins = float(rng.uniform(10.0, 22.0))
    tones = rng.uniform(0.7, 1.1, 2)
    x, y = place.local(window)
    y = y - np.float32(bend) * (x * x - 1.0)
    t = 0.5 - 0.5 * x
    half_width = blade(1.0 - t, width, tip)
    half_width = half_width * (1.0 + np.float32(teeth) * np.cos(t * 60.0))
    across = np.abs(y)
    inside = np.where(np.abs(t - 0.5) < 0.5, half_width - across, -1.0)
    veins = np.cos(np.float32(num_veins) * (t + 0.7 * across) * 2.0)
    veins = veins * veins * veins
    colour = mix(finish.main.light, finish.second.light, smoothstep(0.06, 0.02, across) + 0.3 * smoothstep(0.2, 1.0, t))
    colour = finish.shade(colour, veins)
    alpha = canvas.coverage(inside * np.float32(place.radius))
    upper = canvas.coverage(y * np.float32(place.radius))
    return [
        Part(alpha * upper, colour * np.float32(tones[0])),
        Part(alpha * (1 - upper), colour * np.float32(tones[1])),
    ]


def fruit(canvas: Canvas, window: Window, rng: np.random.Generator, place: Place, finish: Finish) -> list[Part]:
    """A round lump lit from one side: a berry, a pebble, a bud, a cap."""
    x, y = place.local(window)
    r = np.sqrt(x * x + y * y)
    theta = np.arctan2(y, x)
    edge = np.full_like(r, 0.88)
    for order in (2, 3, 4):
        edge += np.float32(rng.uniform(0.0, 0.14) / order) * np.cos(order * theta + np.float32(rng.uniform(0, 6.3)))
    ratio = np.minimum(r / edge, 1.0)
    light = float(rng.uniform(0, 2 * np.pi))
    lit = 0.75 + 0.5 * (x * np.float32(np.cos(light)) + y * np.float32(np.sin(light)))
    stripes = np.cos(theta * np.float32(rng.integers(4, 12))) * smoothstep(0.1, 0.6, ratio)
    spots = smoothstep(0.2, 0.6, finish.noise) * 2.0 - 1.0
    pattern = stripes if rng.uniform() < 0.4 else spots
    colour = mix(
        finish.main.light, finish.second.light, smoothstep(0.0, 1.2, finish.noise) * np.float32(finish.texture)
    )
    colour = finish.shade(colour * np.maximum(lit * (1.1 - 0.4 * ratio**4), 0.1), pattern)
    return [Part(canvas.coverage((edge - r) * np.float32(place.radius)), colour)]
