"""Randomness as a pure function of (seed, purpose, counter): the global batch is drawn, each worker takes its slice.

Draws are made on the CPU in float32, so they do not depend on the device, the precision or the number of workers.
"""

from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from argan.config import DofConfig


class Purpose(IntEnum):
    """What a draw is for. The numbers are part of every run's result: never renumber."""

    WEIGHTS = 1
    MIRROR = 2
    Z_DISCRIMINATOR = 3
    DOF_DISCRIMINATOR = 4
    Z_GENERATOR = 5
    DOF_GENERATOR = 6
    Z_SAMPLE = 7
    DOF_SAMPLE = 8
    Z_TUPLE = 9
    APERTURE_TUPLE = 10


def keyed_generator(seed: int, purpose: Purpose, counter: int) -> torch.Generator:
    """A torch generator of its own for (seed, purpose, counter); any counter, in any order."""
    state = np.random.SeedSequence([seed, int(purpose), counter]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def draw_z(seed: int, purpose: Purpose, counter: int, *, num: int, z_dim: int) -> Tensor:
    """Latents [num, z_dim], standard normal."""
    return torch.randn(num, z_dim, generator=keyed_generator(seed, purpose, counter))


def draw_dof_scale(seed: int, purpose: Purpose, counter: int, *, num: int, dof: DofConfig) -> Tensor:
    """DoF scales s ~ p(s), [num] in [0, 1] (METHOD: DoF mixture learning)."""
    random = keyed_generator(seed, purpose, counter)
    if dof.distribution == "one":
        return torch.ones(num)
    if dof.distribution == "half_normal":
        return (torch.randn(num, generator=random).abs() * dof.half_normal_sigma).clamp(max=1.0)
    uniform = torch.rand(num, generator=random)
    return uniform if dof.distribution == "uniform" else (uniform < dof.shallow_share).float()


def draw_mirror(seed: int, counter: int, *, num: int) -> Tensor:
    """Which photos of the global batch to flip, [num] bool."""
    return torch.rand(num, generator=keyed_generator(seed, Purpose.MIRROR, counter)) < 0.5
