"""Draws are pure functions of (seed, purpose, counter), and p(s) is what METHOD.md says."""

import math

import numpy as np
import pytest
import torch

from argan.config import Config, DofConfig
from argan.draws import Purpose, draw_dof_scale, draw_mirror, draw_z
from argan.errors import UserError
from argan.generation.recipe import Recipe
from argan.scenes import scene
from argan.seeds import SEEDS


def test_a_draw_does_not_depend_on_what_was_drawn_before() -> None:
    first = draw_z(3, Purpose.Z_GENERATOR, 64, num=8, z_dim=4)
    torch.randn(100)
    draw_z(3, Purpose.Z_GENERATOR, 32, num=8, z_dim=4)
    assert torch.equal(first, draw_z(3, Purpose.Z_GENERATOR, 64, num=8, z_dim=4))


def test_every_part_of_the_key_counts() -> None:
    keys = [(0, Purpose.Z_GENERATOR, 0), (1, Purpose.Z_GENERATOR, 0), (0, Purpose.Z_DISCRIMINATOR, 0)]
    keys += [(0, Purpose.Z_GENERATOR, 1), (0, Purpose.Z_GENERATOR, 2**40)]
    draws = [draw_z(*key, num=4, z_dim=4) for key in keys]
    assert len({tuple(draw.flatten().tolist()) for draw in draws}) == len(keys)


@pytest.mark.parametrize("seed", [-1, SEEDS, 5 + 4 * SEEDS])
def test_a_seed_that_would_be_read_as_two_numbers_is_refused(seed: int) -> None:
    """Draws of seed 5 + 4 * 2^32 for purpose 6 would be those of seed 5 for purpose 4."""
    for make in (lambda: Config(seed=seed), lambda: Recipe(num_samples=1, seed=seed)):
        with pytest.raises(UserError, match=f"seed must be from 0 to 4294967295, got {seed}"):
            make()
    with pytest.raises(ValueError, match=f"got {seed}"):
        scene(seed, 0, resolution=8)
    last = [draw_z(SEEDS - 1, Purpose.Z_GENERATOR, 7, num=4, z_dim=4), scene(SEEDS - 1, 0, resolution=8).image]
    assert len({drawn.tobytes() for drawn in map(np.asarray, last)}) == 2


def test_samples_without_limit_are_not_drawn_twice() -> None:
    """Under torch.Generator, which keeps 32 bits of a seed, these very ones were 99,999."""
    drawn = {draw_z(0, Purpose.Z_TUPLE, index, num=1, z_dim=2).numpy().tobytes() for index in range(100_000)}
    assert len(drawn) == 100_000


def draw_many(dof: DofConfig) -> torch.Tensor:
    scale = draw_dof_scale(0, Purpose.DOF_SAMPLE, 0, num=40_000, dof=dof).double()
    assert float(scale.min()) >= 0.0
    assert float(scale.max()) <= 1.0
    return scale


def test_bernoulli() -> None:
    scale = draw_many(DofConfig(distribution="bernoulli", shallow_share=0.3))
    assert set(scale.tolist()) == {0.0, 1.0}
    assert abs(float(scale.mean()) - 0.3) < 0.01


def test_uniform() -> None:
    scale = draw_many(DofConfig(distribution="uniform"))
    assert abs(float(scale.mean()) - 0.5) < 0.01
    assert abs(float(scale.var()) - 1 / 12) < 0.01


def test_half_normal_is_cut_at_one() -> None:
    scale = draw_many(DofConfig(distribution="half_normal", half_normal_sigma=0.5))
    assert abs(float((scale == 1.0).double().mean()) - (1 - math.erf(2 / math.sqrt(2)))) < 0.01
    assert abs(float((scale < 0.5).double().mean()) - math.erf(1 / math.sqrt(2))) < 0.01


def test_one_is_no_mixture() -> None:
    assert torch.equal(draw_many(DofConfig(distribution="one")), torch.ones(40_000, dtype=torch.float64))


def test_mirror_is_a_fair_coin() -> None:
    assert abs(float(draw_mirror(0, 0, num=40_000).double().mean()) - 0.5) < 0.01
