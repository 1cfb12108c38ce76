"""Precision and recall: how many generated photos look like real ones, and how many real ones the generator reaches.

Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models" (NeurIPS 2019), eq. 1-3: a
set's manifold is the union of balls about its photos' features, each as wide as the distance to the photo's k-th
neighbour.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from argan.errors import UserError

NEIGHBOURS = 3  # the authors' k
ROWS = 1024  # distances at a time: 50,000 photos have 20 GB of them


class Coverage(NamedTuple):
    """Shares in [0, 1]."""

    precision: float
    recall: float


def coverage(real: Tensor, fake: Tensor) -> Coverage:
    """For features [N,d] and [M,d] of any float type; in float64. Depends on N and M, so compare equal ones only.

    Raises UserError where a side has no k-th neighbour.
    """
    fewest = min(len(real), len(fake))
    if fewest <= NEIGHBOURS:
        raise UserError(f"precision and recall need more than {NEIGHBOURS} images on each side, got {fewest}")
    real, fake = real.double(), fake.double()
    return Coverage(precision=_share_inside(fake, real), recall=_share_inside(real, fake))


def _share_inside(points: Tensor, manifold: Tensor) -> float:
    """The share of points that lie in a ball of the manifold's."""
    # The nearest neighbour of all is the photo itself, at distance 0.
    nearest = [torch.cdist(rows, manifold).kthvalue(NEIGHBOURS + 1, dim=1).values for rows in manifold.split(ROWS)]
    radii = torch.cat(nearest)
    inside = [(torch.cdist(rows, manifold) <= radii).any(1) for rows in points.split(ROWS)]
    return float(torch.cat(inside).double().mean())
