"""What is measured of every sample, and which ones are not worth keeping. Reconstruction: the source has no filters.

All from the pixels and codes as they are stored, so that anybody who holds a sample can measure it again.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.generation.recipe import Quality
from argan.pixels import LUMA, laplacian

KEPT = ""  # the reason of a sample that was not rejected
SHARPEST_PERCENTILE = 99  # of |Laplacian|: a photo may be smooth nearly everywhere, but not everywhere


class Measures(NamedTuple):
    """Of one sample; disparity in px per aperture unit."""

    disparity_mean_px: float
    disparity_min_px: float
    disparity_max_px: float
    disparity_spread: float  # standard deviation in d_max
    contrast: float  # how much nearer the middle is: 1 for the focus prior itself, 0 for a constant
    prior_correlation: float  # of disparity and focus prior over the pixels, in [-1, 1]; 0 for a constant
    sharpness: float  # of the deep photo's sharpest edges
    saturation: float  # share of the deep photo's channel values that are 0 or 255


def measure(
    deep: NDArray[np.uint8], disparity: NDArray[np.float32], prior_disparity: NDArray[np.float32], d_max_px: float
) -> Measures:
    """deep [H,W,3], disparity and the focus prior D_p [H,W] in px per aperture unit."""
    D, D_p = disparity.astype(np.float64), prior_disparity.astype(np.float64)
    template = D_p - D_p.mean()
    covariance, spread = float((D * template).mean()), float(D.std())
    prior_spread = float(D_p.std())
    return Measures(
        disparity_mean_px=float(D.mean()),
        disparity_min_px=float(D.min()),
        disparity_max_px=float(D.max()),
        disparity_spread=spread / d_max_px,
        contrast=covariance / prior_spread**2,
        prior_correlation=covariance / (spread * prior_spread) if spread > 0 else 0.0,
        sharpness=sharpness(deep),
        saturation=float(np.mean((deep == 0) | (deep == 255))),
    )


def reason(measures: Measures, quality: Quality) -> str:
    """Why the sample is rejected: the first that holds, or KEPT."""
    if measures.disparity_spread < quality.min_spread:
        return "flat"
    if measures.contrast < quality.min_contrast:
        return "inverted"
    if measures.prior_correlation > quality.max_prior_correlation:
        return "prior-only"
    if measures.sharpness < quality.min_sharpness:
        return "blurred"
    if measures.saturation > quality.max_saturation:
        return "saturated"
    return KEPT


def sharpness(photo: NDArray[np.uint8]) -> float:
    """Of the sharpest edges of a photo [H,W,3]: a high percentile of |Laplacian| of luma in [0, 1]."""
    return float(np.percentile(edges(photo), SHARPEST_PERCENTILE))


def edges(photo: NDArray[np.uint8]) -> NDArray[np.float64]:
    """|Laplacian| of luma in [0, 1] of a photo [H,W,3], [H-2,W-2]."""
    return np.abs(laplacian(photo @ np.array(LUMA) / 255))
