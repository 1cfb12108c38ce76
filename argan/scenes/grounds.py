"""What fills a window from edge to edge: air, foliage, litter and grass, as linear colour [3,h,w]."""

import numpy as np

from argan.scenes.canvas import Canvas, Window, mix, noise, rotated, smoothstep
from argan.scenes.lens import Floats
from argan.scenes.palette import BLOSSOMS, Paint, pick
from argan.scenes.shapes import TURN, blade

NUM_PIECES = 61  # prime: the table of a scatter's pieces repeats far away only


def haze(canvas: Canvas, window: Window, rng: np.random.Generator, paint: Paint) -> Floats:
    """Air, cloud or far shade: one colour into another, slowly."""
    along, _ = rotated(window, 0.0, 0.0, float(rng.uniform(0.0, TURN)))
    share = np.clip(0.5 + along + 0.35 * noise(window, rng, float(rng.uniform(2.0, 5.0))), 0.0, 1.0)
    return mix(paint.light, paint.kin(rng, 0.7).light, share)


def foliage(canvas: Canvas, window: Window, rng: np.random.Generator, paint: Paint) -> Floats:
    """Leaves, bark or stone: patches with hard edges at two scales, and grain."""
    second, third = paint.kin(rng, 1.2).light, paint.kin(rng, 1.6).light
    patches = noise(window, rng, float(rng.uniform(4.0, 9.0)))
    small = noise(window, rng, float(rng.uniform(9.0, 20.0)))
    colour = mix(paint.light, second, smoothstep(-0.12, 0.12, patches + 0.4 * small))
    colour += (third[:, None, None] - colour) * smoothstep(0.5, 0.75, small - 0.3 * patches)
    return colour * np.maximum(1.0 + 0.25 * noise(window, rng, 30.0), np.float32(0.2))


def litter(canvas: Canvas, window: Window, rng: np.random.Generator, paint: Paint) -> Floats:
    """Fallen leaves, meadow flowers, gravel: pieces scattered one over the other."""
    colour = haze(canvas, window, rng, paint.kin(rng, 0.8))
    size = float(np.exp(rng.uniform(np.log(0.1), np.log(0.3))))
    for _ in range(2):
        alpha, tone = scatter(canvas, window, rng, size)
        piece = pick(rng, BLOSSOMS) if rng.uniform() < 0.35 else paint.kin(rng, 1.5)
        colour += (piece.light[:, None, None] * tone - colour) * alpha
        size *= 0.8
    return colour


def grass(canvas: Canvas, window: Window, rng: np.random.Generator, paint: Paint) -> Floats:
    """Blades and straws, all leaning one way."""
    along, across = rotated(window, 0.0, 0.0, float(rng.uniform(1.1, 2.1)))
    wave = noise(window, rng, float(rng.uniform(4.0, 8.0)))
    streaks = 0.8 * wave
    for frequency in rng.uniform(35.0, 120.0, 3).tolist():
        lean, phase = rng.uniform(-25.0, 25.0), rng.uniform(0.0, TURN)
        streaks += np.cos(across * np.float32(frequency) + along * np.float32(lean) + (wave + np.float32(phase)))
    return mix(paint.light, paint.kin(rng, 1.4).light, smoothstep(-1.5, 1.5, streaks))


def scatter(canvas: Canvas, window: Window, rng: np.random.Generator, size: float) -> tuple[Floats, Floats]:
    """Leaf-shaped pieces on a turned, jittered lattice of that spacing, in widths: opacity and tone, [h,w] each."""
    along, across = rotated(window, 0.0, 0.0, float(rng.uniform(0.0, TURN)))
    u, v = along * np.float32(1.0 / size) + 40.0, across * np.float32(1.0 / size) + 40.0
    column, row = np.floor(u), np.floor(v)
    piece = (row.astype(np.int32) * 13 + column.astype(np.int32)) % NUM_PIECES
    radius = rng.uniform(0.12, 0.47, NUM_PIECES)
    centre = 0.5 + rng.uniform(-1.0, 1.0, (2, NUM_PIECES)) * (0.5 - radius)
    turn, tone = rng.uniform(0.0, TURN, NUM_PIECES), rng.uniform(0.4, 1.3, NUM_PIECES)
    per_radius = 1.0 / radius
    # each piece's own frame, of radius 1: an affine map of the place in its cell
    c, s = np.cos(turn) * per_radius, np.sin(turn) * per_radius
    table = np.stack([c, s, c * centre[0] + s * centre[1], c * centre[1] - s * centre[0], radius, tone])
    c, s, x0, y0, radius, tone = (values.take(piece) for values in table.astype(np.float32))
    du, dv = u - column, v - row
    x, y = du * c + dv * s - x0, dv * c - du * s - y0
    inside, _ = blade(0.5 + 0.5 * x, np.abs(y), float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.0, 1.0)))
    return canvas.coverage(inside * (radius * np.float32(size))), tone
