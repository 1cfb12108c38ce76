"""Whether a run's photos blur as its disparity says, and whether its deep photos are as sharp as real ones."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argan.api import Run
from argan.evaluation.blur import BlurSettings, measure_blur
from argan.generation.quality import sharpness
from argan.optics import render
from argan.pixels import to_bytes
from jobs.runtime.judges import say


@dataclass(frozen=True, kw_only=True)
class OpticsQuality:
    num_photos: int = 256
    seed: int = 0
    blur: BlurSettings = field(default_factory=BlurSettings)


def judge_optics(run: Run, real: NDArray[np.uint8], quality: OpticsQuality) -> dict[str, Any]:
    """Of photos taken with as many views as their blur needs: blur_slope, blur_intercept_px, blur_r_squared and
    blur_regions; blur_slope_in_training, with the few views that the discriminator was shown; sharpness_deep of I_d,
    sharpness_photo of the photos as the discriminator saw them, and sharpness_real of as many real ones.

    real [N,3,H,W] uint8.
    """
    say(f"measuring blur in {quality.num_photos:,} generated photos")
    sample, config = run.sample(quality.num_photos, seed=quality.seed), run.config
    measured = partial(measure_blur, sample.deep, sample.disparity, d_max_px=config.d_max_px, settings=quality.blur)
    fit = measured(partial(render, shape=config.optics.shape))
    few = measured(partial(render, shape=config.optics.shape, views_per_side=config.optics.views_per_side))
    return {
        "blur_slope": fit.slope,
        "blur_intercept_px": fit.intercept_px,
        "blur_r_squared": fit.r_squared,
        "blur_regions": fit.num_regions,
        "blur_slope_in_training": few.slope,
        "sharpness_deep": mean_sharpness(to_bytes(sample.deep).cpu().numpy()),
        "sharpness_photo": mean_sharpness(to_bytes(sample.photo).cpu().numpy()),
        "sharpness_real": mean_sharpness(real[: quality.num_photos]),
    }


def mean_sharpness(photos: NDArray[np.uint8]) -> float:
    """Of photos [N,3,H,W]."""
    return float(np.mean([sharpness(photo.transpose(1, 2, 0)) for photo in photos]))
