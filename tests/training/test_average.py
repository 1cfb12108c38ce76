"""The moving average of the generator, by images."""

import pytest
import torch
from training_photos import photos

from argan.config import Config
from argan.settings import override
from argan.training.gradients import alone
from argan.training.metrics import TickMetrics
from argan.training.state import build_state
from argan.training.step import Share, train_batch, update_ema

CPU = torch.device("cpu")


def test_ema_half_life_is_in_images(config: Config) -> None:
    """After one half-life the average has gone half of the way, in one batch or in many."""
    config = override(config, {"optimizer.ema_half_life_images": 480, "optimizer.ema_ramp": 0})
    for batch_images, num_batches in ((480, 1), (12, 40)):
        state = build_state(config, CPU)
        start = [parameter.clone() for parameter in state.g_ema.parameters()]
        for parameter in state.camera.parameters():
            torch.nn.init.ones_(parameter)
        for _ in range(num_batches):
            update_ema(state, batch_images)
        for old, parameter in zip(start, state.g_ema.parameters(), strict=True):
            torch.testing.assert_close(parameter, (old + 1) / 2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("images_seen", "share_left"), [(12, 1 / 4), (240, 2**-0.1), (24_000, 2**-0.025)])
def test_the_average_is_short_at_the_start(config: Config, images_seen: int, share_left: float) -> None:
    """Its half-life is at most half of the images seen: 6, 120, then the 480 that were asked for."""
    config = override(config, {"optimizer.ema_half_life_images": 480, "optimizer.ema_ramp": 0.5})
    state = build_state(config, CPU)
    for net, value in ((state.g_ema, 0.0), (state.camera, 1.0)):
        for parameter in net.parameters():
            torch.nn.init.constant_(parameter, value)
    state.images_seen = images_seen
    update_ema(state, 12)
    for parameter in state.g_ema.parameters():
        torch.testing.assert_close(parameter, torch.full_like(parameter, 1 - share_left))


def test_the_first_batch_counts_among_the_images_seen(config: Config) -> None:
    """A half-life of half a batch leaves a quarter of what was there before it."""
    config = override(config, {"optimizer.ema_ramp": 0.5})
    state, batch_images = build_state(config, CPU), config.data.batch_images
    start = [parameter.clone() for parameter in state.g_ema.parameters()]
    train_batch(state, photos(0, config), Share(0, batch_images, batch_images), TickMetrics(), alone)
    for old, new, average in zip(start, state.camera.parameters(), state.g_ema.parameters(), strict=True):
        torch.testing.assert_close(average, old / 4 + new * 3 / 4)
