"""Randomness as a pure function of (seed, purpose, counter): the global batch is drawn, each worker takes its slice.

Draws are made on the CPU in float32, so they do not depend on the device, the precision or the number of workers. They
come from numpy's Philox, which takes the whole key: torch's CPU generator keeps 32 bits of a seed, and of 100,000
samples two would be the same (docs/decisions/draws.md).
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
    AUGMENT_REAL = 11
    AUGMENT_DISCRIMINATOR = 12
    AUGMENT_GENERATOR = 13


def keyed_draws(seed: int, purpose: Purpose, counter: int) -> np.random.Generator:
    """Random numbers of their own for (seed, purpose, counter); any counter, in any order. Seeds as in Config."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, int(purpose), counter])))


def weights_generator(seed: int, counter: int) -> torch.Generator:
    """What a network's weights are drawn from, as torch.nn.init takes it."""
    state = np.random.SeedSequence([seed, int(Purpose.WEIGHTS), counter]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def draw_z(seed: int, purpose: Purpose, counter: int, *, num: int, z_dim: int) -> Tensor:
    """Latents [num, z_dim], standard normal."""
    return torch.from_numpy(keyed_draws(seed, purpose, counter).standard_normal((num, z_dim), dtype=np.float32))


def draw_uniform(seed: int, purpose: Purpose, counter: int, *, num: int) -> Tensor:
    """[num], uniform in [0, 1)."""
    return torch.from_numpy(keyed_draws(seed, purpose, counter).random(num, dtype=np.float32))


def draw_dof_scale(seed: int, purpose: Purpose, counter: int, *, num: int, dof: DofConfig) -> Tensor:
    """DoF scales s ~ p(s), [num] in [0, 1] (METHOD: DoF mixture learning)."""
    if dof.distribution == "one":
        return torch.ones(num)
    if dof.distribution == "half_normal":
        normal = draw_z(seed, purpose, counter, num=num, z_dim=1)[:, 0]
        return (normal.abs() * dof.half_normal_sigma).clamp(max=1.0)
    uniform = draw_uniform(seed, purpose, counter, num=num)
    return uniform if dof.distribution == "uniform" else (uniform < dof.shallow_share).float()


def draw_mirror(seed: int, counter: int, *, num: int) -> Tensor:
    """Which photos of the global batch to flip, [num] bool."""
    return draw_uniform(seed, Purpose.MIRROR, counter, num=num) < 0.5
