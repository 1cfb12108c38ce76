"""One trial of a sweep, inside Ray: from rung to rung, as long as Tune lets it."""

import json
import time
from typing import Any, Literal

import ray
import torch
from ray import tune
from ray.exceptions import RayTaskError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from argan.errors import (
    CollapseError,
    DataError,
    FailedTrainingError,
    NonFiniteError,
    passes,
)
from argan.settings import from_dict, override
from jobs.runtime.last_line import last_line
from jobs.runtime.lost import LOST
from jobs.runtime.rung import TrialWork, judge, train_to
from jobs.runtime.workers import Workers


def run_trial(given: dict[str, Any]) -> None:
    """Tune's trainable: reports {"number", "images", "values" in JSON, "seconds"} at every rung left.

    Where it fails, {"number", "broke"} by its own configuration, so another trial may fare better; {"number",
    "crashed"} where its training or judging died, and that may be its own too; {"number", "failed"} by anything else.
    What raises is a process that was lost, this one or one that worked for it, or storage that stayed away: Tune is
    told so, and another takes the trial over.
    """
    try:
        climb(given)
    except LOST:
        raise
    except Exception as error:
        if passes(cause_of(error)):
            raise
        tune.report({"number": given["number"], verdict(error): last_line(cause_of(error))})


def verdict(error: Exception) -> Literal["broke", "crashed", "failed"]:
    """Not the trial's own is what is wrong with data or storage, and what somebody else did to its files."""
    cause = cause_of(error)
    if isinstance(cause, NonFiniteError | CollapseError):
        return "broke"
    if isinstance(cause, FailedTrainingError | torch.cuda.OutOfMemoryError):
        return "crashed"
    return "failed"


def cause_of(error: Exception) -> Exception:
    """What a task raised, without Ray around it."""
    return error.cause if isinstance(error, RayTaskError) else error


def climb(given: dict[str, Any]) -> None:
    """From rung to rung, as long as Tune lets it."""
    work = TrialWork(**given["work"])
    config = override(from_dict(given["config"]), work.speed_ups)
    workers = Workers(**work.workers)
    # Else they would have to fit into what Tune has booked for this process.
    anywhere = PlacementGroupSchedulingStrategy(placement_group=None)
    # Not retried by Ray: nobody would hear of it, and what is killed for want of memory may be retried for ever.
    # A process for each training: one that Ray keeps for later would be a living owner of a lease not released.
    train_task = ray.remote(num_cpus=0, max_retries=0, max_calls=1, scheduling_strategy=anywhere)(train_to)
    judge_task = ray.remote(
        num_cpus=max(1, workers.cpus_each),
        num_gpus=1 if workers.use_gpu else 0,
        max_retries=0,
        scheduling_strategy=anywhere,
    )(judge)
    for images in work.rungs_images:
        if images <= given["images_done"]:
            continue
        started_s = time.monotonic()
        ray.get(train_task.remote(work, override(config, {"schedule.total_images": images})))
        values = ray.get(judge_task.remote(work, config, images))
        if config.method != "gan":  # it has no depth: an objective of depth is worth nothing there
            require_measured(values, work.objectives)
        seconds = time.monotonic() - started_s
        text = json.dumps(values)  # Tune would flatten it
        tune.report({"number": given["number"], "images": images, "values": text, "seconds": seconds})


def require_measured(values: dict[str, float | None], objectives: tuple[str, ...]) -> None:
    """Raises DataError where an objective is no number of the evaluation's; one that is there may be undefined."""
    for name in objectives:
        if name not in values:
            raise DataError(f"the evaluation has no {name!r}; there are {', '.join(sorted(values))}")
