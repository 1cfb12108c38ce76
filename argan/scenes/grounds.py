"""What fills a picture from edge to edge: backdrops and grounds, drawn over the whole canvas."""

import numpy as np

from argan.scenes.canvas import Canvas, mix, rotated, smoothstep
from argan.scenes.lens import Floats
from argan.scenes.palette import Paint
from argan.scenes.shapes import blade


def haze(canvas: Canvas, rng: np.random.Generator, paint: Paint) -> Floats:
    """Air, cloud or far shade: one colour into another, slowly."""
    other = paint.kin(rng, 0.7)
    along, _ = rotated(canvas.whole, 0.0, 0.0, float(rng.uniform(0, 2 * np.pi)))
    share = np.clip(0.5 + along + 0.35 * canvas.noise(rng, float(rng.uniform(2.0, 5.0))), 0.0, 1.0)
    return mix(paint.light, other.light, share)


def blotches(canvas: Canvas, rng: np.random.Generator, paint: Paint) -> Floats:
    """Foliage, bark or stone: patches with hard edges at two scales, and grain."""
    second, third = paint.kin(rng, 1.2), paint.kin(rng, 1.6)
    patches = canvas.noise(rng, float(rng.uniform(4.0, 9.0)))
    small = canvas.noise(rng, float(rng.uniform(9.0, 20.0)))
    colour = mix(paint.light, second.light, smoothstep(-0.12, 0.12, patches + 0.4 * small))
    colour += (third.light[:, None, None] - colour) * smoothstep(0.5, 0.75, small - 0.3 * patches)
    return colour * np.maximum(1.0 + 0.25 * canvas.noise(rng, 30.0), 0.2)


def litter(canvas: Canvas, rng: np.random.Generator, paint: Paint) -> Floats:
    """Fallen leaves, meadow flowers, gravel: small pieces scattered one over the other."""
    colour = haze(canvas, rng, paint.kin(rng, 0.8))
    size = float(rng.uniform(0.08, 0.2))
    for _ in range(3):
        alpha, tone = scatter(canvas, rng, size)
        piece = paint.kin(rng, 1.5).light[:, None, None] * tone
        colour += (piece - colour) * alpha
        size *= 0.85
    return colour


def grass(canvas: Canvas, rng: np.random.Generator, paint: Paint) -> Floats:
    """Blades and straws: noise drawn out along one direction."""
    other = paint.kin(rng, 1.5)
    bent = 0.035 * canvas.noise(rng, 3.0)
    along, across = rotated(canvas.whole, 0.0, 0.0, float(rng.uniform(1.1, 2.1)))
    across = across + bent
    streaks = np.zeros_like(across)
    for frequency in rng.uniform(30.0, 110.0, 4):
        streaks += np.cos(
            across * np.float32(frequency) + along * np.float32(rng.uniform(-12, 12)) + rng.uniform(0, 6.3)
        )
    share = smoothstep(-0.7, 0.7, streaks + 0.5 * canvas.noise(rng, 12.0))
    return mix(paint.light, other.light, share.astype(np.float32))


def scatter(canvas: Canvas, rng: np.random.Generator, size: float) -> tuple[Floats, Floats]:
    """Pieces on a turned and jittered lattice of that spacing, in widths: opacity [h,w] and tone [h,w]."""
    along, across = rotated(canvas.whole, 0.0, 0.0, float(rng.uniform(0, 2 * np.pi)))
    u, v = along / np.float32(size) + 40.0, across / np.float32(size) + 40.0
    column, row = u.astype(np.int64), v.astype(np.int64)
    num = 61  # prime: the table of pieces repeats beyond the picture only
    cell = (row * 13 + column) % num
    jitter_x, jitter_y = rng.uniform(0.42, 0.58, (2, num)).astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi, num)
    cos, sin = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)
    tone = rng.uniform(0.4, 1.3, num).astype(np.float32)
    radius = (rng.uniform(0.28, 0.44, num) * (rng.uniform(0, 1, num) < 0.85)).astype(np.float32)
    du, dv = u - column - jitter_x[cell], v - row - jitter_y[cell]
    x, y = du * cos[cell] + dv * sin[cell], dv * cos[cell] - du * sin[cell]
    t = 0.5 + 0.5 * x / np.maximum(radius[cell], 0.01)
    half_width = blade(t, float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.0, 1.0))) * radius[cell]
    inside = np.where(np.abs(t - 0.5) < 0.5, half_width - np.abs(y), -1.0)
    return canvas.coverage(inside * np.float32(size)), tone[cell]
