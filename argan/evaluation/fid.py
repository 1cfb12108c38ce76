"""FID: the Frechet distance of two sets of deep features, each taken for a normal distribution.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule" (NeurIPS 2017), eq. 6. Biased upward for few images, so it
is not told below 5,000 (METHOD: Evaluation).
"""

import torch
from torch import Tensor

from argan.errors import UserError

FEWEST_IMAGES = 5_000


def fid(real: Tensor, fake: Tensor) -> float:
    """For features [N,d] and [M,d] of any float type; in float64. Raises UserError below FEWEST_IMAGES on a side."""
    fewest = min(len(real), len(fake))
    if fewest < FEWEST_IMAGES:
        raise UserError(f"FID needs {FEWEST_IMAGES:,} images or more on each side, got {fewest:,}")
    return float(frechet_distance(*_moments(real), *_moments(fake)))


def frechet_distance(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> Tensor:
    """|m - n|^2 + tr(S + T - 2 (S T)^1/2) of two normal distributions; 0-d.

    (S T)^1/2 has the trace of (S^1/2 T S^1/2)^1/2, whose matrix is symmetric: no complex roots of rounding errors.
    """
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    inner = torch.linalg.eigvalsh(root @ other_covariance @ root).clamp(min=0).sqrt().sum()
    apart = ((mean - other_mean) ** 2).sum()
    return apart + covariance.trace() + other_covariance.trace() - 2 * inner


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    features = features.double()
    return features.mean(0), torch.cov(features.T)
