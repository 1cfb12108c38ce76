"""KID: how far generated photos are from real ones, as the MMD^2 of deep features under a cubic kernel.

METHOD: Evaluation; Binkowski et al., "Demystifying MMD GANs" (ICLR 2018), section 4.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from argan.errors import UserError
from argan.seeds import require_seed

SCALE = 1000.0  # as the field prints it
INTERVAL = (0.025, 0.975)
FEWEST_EACH = 4  # at most half of them are in a subset, and a pair is needed


@dataclass(frozen=True, kw_only=True)
class KidSettings:
    """What the value depends on beside the features."""

    num_subsets: int = 100
    subset_images: int = 1000
    """Of each side; at most half of the smaller side is taken, so that subsets differ."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.num_subsets < 1 or self.subset_images < 2:
            raise UserError(f"num_subsets must be at least 1 and subset_images at least 2, got {self}")
        require_seed(self.seed)


class Kid(NamedTuple):
    """x 1000. `interval` holds 95 % of the subsets' values: how far one subset strays, not the error of their mean."""

    value: float
    interval: tuple[float, float]
    protocol: dict[str, Any]


def kid(real: Tensor, fake: Tensor, settings: KidSettings) -> Kid:
    """The mean of the unbiased MMD^2 over subsets; below 0 by chance where both sides are alike.

    real [N,d] and fake [M,d] are features of any float type; all is summed in float64. Raises UserError unless each
    side has FEWEST_EACH images or more.
    """
    fewest = min(len(real), len(fake))
    if fewest < FEWEST_EACH:
        raise UserError(
            f"KID needs at least {FEWEST_EACH} images on each side, got {len(real)} real and {len(fake)} generated"
        )
    size = min(settings.subset_images, fewest // 2)
    real, fake = real.double(), fake.double()
    values = []
    for number in range(settings.num_subsets):
        rng = np.random.default_rng([settings.seed, number])
        chosen = [torch.from_numpy(rng.choice(len(side), size, replace=False)) for side in (real, fake)]
        values.append(SCALE * float(mmd2_unbiased(real[chosen[0]], fake[chosen[1]])))
    low, high = np.quantile(values, INTERVAL)
    protocol = {
        "kernel": "(x.y / d + 1)^3, unbiased",
        "scale": SCALE,
        "num_real": len(real),
        "num_fake": len(fake),
        **asdict(settings),
        "subset_images": size,
    }
    return Kid(float(np.mean(values)), (float(low), float(high)), protocol)


def mmd2_unbiased(x: Tensor, y: Tensor) -> Tensor:
    """MMD^2 of two samples [N,d] and [M,d], without the pairs of an image with itself: unbiased. 0-d."""
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2 * cubic_kernel(x, y).mean()


def cubic_kernel(x: Tensor, y: Tensor) -> Tensor:
    """(x.y / d + 1)^3 of every pair, [N,d] and [M,d] -> [N,M]."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def _mean_of_pairs(x: Tensor) -> Tensor:
    kernel = cubic_kernel(x, x)
    return (kernel.sum() - kernel.trace()) / (len(x) * (len(x) - 1))
