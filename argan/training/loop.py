"""The loop: batches in, ticks out. It runs alone in a test as it runs on every worker of a cluster.

What it needs from outside comes in: batches, the sum over workers, what to do at a tick, when to stop.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from argan.config import ScheduleConfig
from argan.errors import NonFiniteError
from argan.training.gradients import Reduce
from argan.training.metrics import TickMetrics, require_finite
from argan.training.state import TrainState
from argan.training.step import Share, train_batch


class Tick(NamedTuple):
    """What a tick hands to `report`, on every worker alike."""

    images_seen: int
    metrics: dict[str, float]
    takes_checkpoint: bool
    takes_pictures: bool
    is_last: bool


def train(
    state: TrainState,
    batches: Iterator[Tensor],
    share: Share,
    *,
    reduce: Reduce,
    report: Callable[[Tick], None],
    stop: Callable[[], bool],
) -> None:
    """Trains from `state.images_seen` to schedule.total_images, or until `stop()` says so at a tick.

    `batches` yields this worker's share of each global batch, uint8 [b,3,H,W] on the state's device. At each tick
    `stop` and then `report` are called, on every worker at the same images. Raises NonFiniteError when a loss or a
    gradient is not a number, after a last report, without a checkpoint, that shows where it went.
    """
    schedule = state.config.schedule
    metrics = TickMetrics()
    tick_start_images, tick_start_s, wait_s = state.images_seen, time.monotonic(), 0.0
    while state.images_seen < schedule.total_images:
        asked_s = time.monotonic()
        photos = next(batches)
        wait_s += time.monotonic() - asked_s
        train_batch(state, photos, share, metrics, reduce)

        is_last = state.images_seen >= schedule.total_images
        if state.images_seen % schedule.tick_images and not is_last:
            continue
        means = metrics.flush(reduce)
        tick_s = time.monotonic() - tick_start_s
        means["speed/images_per_s"] = (state.images_seen - tick_start_images) / tick_s
        means["speed/data_wait_share"] = wait_s / tick_s
        try:
            require_finite(means, tick_start_images, state.images_seen)
        except NonFiniteError:
            report(Tick(state.images_seen, means, takes_checkpoint=False, takes_pictures=False, is_last=True))
            raise
        asked_to_stop = stop()  # at the last tick too: it is where one looks at what has become of the run
        is_last = is_last or asked_to_stop
        report(tick(state.images_seen, means, schedule, is_last))
        if is_last:
            return
        tick_start_images, tick_start_s, wait_s = state.images_seen, time.monotonic(), 0.0


def tick(images_seen: int, metrics: dict[str, float], schedule: ScheduleConfig, is_last: bool) -> Tick:
    """Which things are due now: but for the last tick, where all are, a function of the images seen alone, so that a
    resumed run does the same ones.
    """
    number = images_seen // schedule.tick_images
    return Tick(
        images_seen=images_seen,
        metrics=metrics,
        takes_checkpoint=is_last or takes_checkpoint(images_seen, schedule),
        takes_pictures=is_last or number % schedule.picture_ticks == 0 or number == 1,
        is_last=is_last,
    )


def takes_checkpoint(images_seen: int, schedule: ScheduleConfig) -> bool:
    """Whether the tick at so many images takes one even where it is not the last."""
    return images_seen // schedule.tick_images % schedule.checkpoint_ticks == 0


def is_looked_at(images_seen: int, schedule: ScheduleConfig) -> bool:
    """Whether what has become of the run is looked at here: where a checkpoint is due and at the end, not where
    somebody has it stop.
    """
    return takes_checkpoint(images_seen, schedule) or images_seen >= schedule.total_images


def to_device(batches: Iterator[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Batches on `device`. On a GPU the next copy, from pinned memory, is asked for before one is used."""
    if device.type == "cpu":
        yield from batches
        return
    ahead = next(batches).pin_memory().to(device, non_blocking=True)
    for batch in batches:
        current, ahead = ahead, batch.pin_memory().to(device, non_blocking=True)
        yield current
    yield ahead
