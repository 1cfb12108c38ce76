"""Every key that names a run changes what is learned: one that nobody reads would give equal weights another name."""

import functools
from typing import Any

import pytest
import torch
from training_photos import photos

from argan.config import Config
from argan.presets import preset
from argan.settings import learned_keys, override
from argan.training.checkpoint import snapshot
from argan.training.gradients import alone
from argan.training.metrics import TickMetrics
from argan.training.state import build_state
from argan.training.step import Share, train_batch

NUM_BATCHES = 5  # the first and the last with R1, which is lazy
ANOTHER: dict[str, Any] = {
    "method": "gan",
    "resolution": 32,
    "seed": 1,
    "data.batch_images": 24,
    "data.mirror": False,
    "optics.shape": "square",
    "optics.views_fit": "blur",
    "optics.linear_light": False,
    "optics.occlusion_steps": 8,
    "optics.expansion": True,
    "optics.views_per_side": 7,
    "dof.distribution": "uniform",
    "generator.style_dim": 12,
    "generator.w_dim": 12,
    "generator.mapping_layers": 2,
    "generator.channels": (16, 12, 12),
    "discriminator.channels": (8, 12, 16),
    "dof.shallow_share": 0.3,
    "optimizer.lr_fall_images": 24,
    "optimizer.beta2": 0.9,
    "optimizer.r1_every_batches": 2,
    "prior.fall_images": 24,
    "compute.precision": "fp64",
}
"""For the other numbers, half as much again, and a little where there is none."""
WITH_IT: dict[str, dict[str, Any]] = {
    "resolution": {"generator.channels": (16, 12, 8, 8), "discriminator.channels": (8, 8, 8, 16)},
}
WHERE_IT_COUNTS: dict[str, dict[str, Any]] = {
    "optics.expansion_weight": {"optics.expansion": True},
    "dof.half_normal_sigma": {"dof.distribution": "half_normal"},
    "prior.final_share": {"prior.fall_images": 24},
    "optimizer.ema_half_life_images": {"optimizer.ema_ramp": 0.0},
}
ORDER_OF_DATA = {"data.fingerprint", "data.num_lanes", "data.window_samples"}
"""Which photos come when is for the stream to say: not for the step, which is given them."""


@functools.cache
def learned(config: Config) -> dict[str, torch.Tensor]:
    state, metrics = build_state(config, torch.device("cpu")), TickMetrics()
    batch_images = config.data.batch_images
    for _ in range(NUM_BATCHES):
        share = Share(0, batch_images, batch_images)
        train_batch(state, photos(state.images_seen, config), share, metrics, alone)
    return dict(snapshot(state).generator)


def another(key: str, value: Any) -> Any:
    return ANOTHER[key] if key in ANOTHER else 1.5 * value or 0.1


@pytest.mark.parametrize("key", sorted(learned_keys(preset("debug")).keys() - ORDER_OF_DATA - {"preset"}))
def test_it_is_read(key: str) -> None:
    base = override(preset("debug"), WHERE_IT_COUNTS.get(key, {}))
    one = learned(base)
    two = learned(override(base, {**WITH_IT.get(key, {}), key: another(key, learned_keys(base)[key])}))
    assert one.keys() != two.keys() or any(
        one[name].shape != two[name].shape or (one[name] - two[name]).abs().max() > 0 for name in one
    )
