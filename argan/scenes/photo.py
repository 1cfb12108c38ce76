"""One procedural photo with its exact truth, from (seed, index): the same scene at any resolution."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.scenes.canvas import Canvas
from argan.scenes.lens import APERTURE_RADIUS, D_MAX, Floats, deep_view, photograph, pixel_centres, to_srgb
from argan.scenes.setting import before, behind, setting
from argan.scenes.subjects import subject
from argan.seeds import require_seed

SCENES_VERSION = 1
DEEP_SHARE = 1.0 / 3.0  # of the photos, taken with the aperture closed or nearly so


class Scene(NamedTuple):
    image: NDArray[np.uint8]  # [H,W,3] sRGB, taken with dof_scale
    deep: NDArray[np.uint8]  # [H,W,3] sRGB, the same with dof_scale 0
    disparity: Floats  # [H,W] px per aperture unit at the open aperture (s = 1), seen from the aperture's centre
    mask: NDArray[np.bool_]  # [H,W] the subject
    dof_scale: float  # s in [0, 1]
    optics: dict[str, float]
    smooth_subject: bool  # a subject without texture: its depth shows at its outline only


def scene(seed: int, index: int, *, resolution: int) -> Scene:
    """The photo number `index` of the set `seed`, `resolution` px square. A pure function, bit for bit on one machine.

    The layout does not depend on the resolution. Raises ValueError below 8 px, and for a seed that Config would refuse.
    """
    require_seed(seed)
    if resolution < 8:
        raise ValueError(f"scenes need a resolution of at least 8 px, got {resolution}")
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, index])))
    canvas = Canvas(resolution)
    dof_scale = draw_dof_scale(rng)
    figure = subject(canvas, rng)
    layers = [
        *before(canvas, rng),
        *figure.layers,
        *behind(canvas, rng, figure),
        *setting(canvas, rng, figure),
    ]
    seen = deep_view(layers, resolution)
    light = photograph(layers, dof_scale, resolution, seen)
    exposure = daylight(rng, resolution)
    return Scene(
        image=to_srgb(light * exposure),
        deep=to_srgb(seen.light * exposure),
        disparity=seen.disparity,
        mask=seen.subject,
        dof_scale=dof_scale,
        optics={"d_max_px": D_MAX * resolution, "aperture_radius": APERTURE_RADIUS},
        smooth_subject=figure.is_smooth,
    )


def draw_dof_scale(rng: np.random.Generator) -> float:
    """s: 0 or next to it for the deep share, else in [0.4, 1], large ones more often."""
    kind, size = rng.uniform(0.0, 1.0, 2)
    if kind < DEEP_SHARE:
        return 0.0 if kind < 0.7 * DEEP_SHARE else float(0.06 * size)
    return float(1.0 - 0.6 * size * size)


def daylight(rng: np.random.Generator, resolution: int) -> Floats:
    """Light that falls off across the picture, whatever is there: [H,W] factors."""
    x = pixel_centres(resolution)
    slope_x, slope_y = rng.uniform(-0.5, 0.5, 2).tolist()
    factor = rng.uniform(0.8, 1.2) * (1.0 + slope_x * x[None, :] + slope_y * x[:, None])
    return factor.astype(np.float32)
