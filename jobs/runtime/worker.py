"""What runs on every worker of a training job: Ray tells it its rank, the loop of argan.training does the rest."""

import logging
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import ray.train
import torch
import torch.distributed as dist
from ray.train.torch import get_device

from argan.config import Config
from argan.data.cache import ShardCache, cache_directory
from argan.data.shards import lanes_of
from argan.data.stream import Batch
from argan.errors import DataError, NonFiniteError
from argan.runs.checkpoints import load_checkpoint
from argan.runs.lease import require_shared
from argan.settings import from_dict
from argan.storage import open_storage
from argan.training.checkpoint import restore
from argan.training.gradients import Reduce, alone
from argan.training.loop import Tick, to_device, train
from argan.training.state import build_state
from argan.training.step import Share
from jobs.runtime.photo_stream import photo_stream
from jobs.runtime.reporter import Reporter

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the driver hands to its workers. Plain values: it travels as a dict."""

    config: dict[str, Any]
    run_uri: str
    data_uri: str
    attempt: int
    ends_at: float  # unix seconds: stop at the first tick after this; infinity: train to the end

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def train_worker(values: dict[str, Any]) -> dict[str, Any]:
    """Trains this worker's share. Returns {"images_seen"}, and {"error"} when the numbers broke on all alike."""
    work = Work(**values)
    config = from_dict(work.config)
    context = ray.train.get_context()
    rank, world = context.get_world_rank(), context.get_world_size()
    device = get_device()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    else:
        torch.set_num_threads(max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1))))
    run = open_storage(work.run_uri)
    require_shared(run, work.attempt)

    state = build_state(config, device)
    saved = load_checkpoint(run, warn=log.warning)
    if saved is not None:
        restore(state, saved)
    require_agreement(state.images_seen, device, world)

    lanes = lanes_of(rank, world, config.data.num_lanes)
    per_lane = config.data.batch_images // config.data.num_lanes
    share = Share(lanes.start * per_lane, lanes.stop * per_lane, config.data.batch_images)
    reduce: Reduce = alone if world == 1 else dist.all_reduce
    reporter = Reporter(state, run, open_storage(work.data_uri), work.attempt) if rank == 0 else None

    def report(tick: Tick) -> None:
        if reporter is not None:
            reporter.keep(tick)
        ray.train.report({"images_seen": tick.images_seen, **tick.metrics})

    def stop() -> bool:
        collapsed = reporter is not None and reporter.sees_collapse()  # it looks, whatever the clock says
        votes = torch.tensor([float(collapsed or time.time() > work.ends_at)], device=device)
        reduce(votes)  # one worker's clock, or what the first one sees, is enough for all to stop at the same tick
        return bool(votes.item() > 0)

    try:
        with closing(_stream(work, config, lanes, state.images_seen)) as stream:
            batches = to_device((torch.from_numpy(batch.images) for batch in stream), device)
            train(state, batches, share, reduce=reduce, report=report, stop=stop)
    except NonFiniteError as error:
        # All workers saw the same sums, so all are here; raising would only have Ray try the same thing again.
        return {"images_seen": state.images_seen, "error": str(error)}
    finally:
        if reporter is not None:
            reporter.close()
    return {"images_seen": state.images_seen}


def require_agreement(images_seen: int, device: torch.device, world: int) -> None:
    """Raises DataError unless all workers stand at the same image: they would train apart, and nobody would see."""
    if world == 1:
        return
    total = torch.tensor([images_seen], device=device)
    dist.all_reduce(total)
    if total.item() != images_seen * world:
        raise DataError(
            f"workers read different checkpoints, this one stands at {images_seen} images: "
            "is --out a folder that all nodes share?"
        )


def _stream(work: Work, config: Config, lanes: range, start_images: int) -> Generator[Batch, None, None]:
    """This worker's lanes of the data, from where the run stands."""
    compute = config.compute
    directory = cache_directory(compute.cache_folder)
    cache = ShardCache(directory=directory, limit_bytes=compute.cache_bytes) if compute.cache_bytes else None
    return photo_stream(config, work.data_uri, lanes, start_images, cache=cache)
