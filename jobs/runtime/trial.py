"""One trial of a sweep, inside Ray: trained to a rung by jobs/train.py's code, judged there by jobs/evaluate.py's."""

import json
import time
from dataclasses import dataclass
from typing import Any, Literal

import ray
import torch
from ray import tune
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayTaskError, WorkerCrashedError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from argan import strict_json
from argan.config import Config
from argan.errors import (
    CollapseError,
    DataError,
    FailedTrainingError,
    MissingError,
    NonFiniteError,
    UserError,
)
from argan.runs.checkpoints import read_pointer
from argan.runs.lease import LeaseHeldError
from argan.search.sweep import JudgingSize
from argan.settings import from_dict, override, run_name
from argan.storage import open_storage
from jobs.runtime.evaluation import Part, evaluate, small_request
from jobs.runtime.numbers import numbers
from jobs.runtime.training import LEASE_S, TrainingRequest, train
from jobs.runtime.workers import Workers

DEAD_OWNER_S = 2 * LEASE_S  # a trial that was killed on another node holds its run's lease for a while
ASK_AGAIN_S = 10.0


class PassedRungError(UserError):
    """The run has gone on past the rung: what it was worth there nobody can tell any more."""


@dataclass(frozen=True, kw_only=True)
class TrialWork:
    """What all trials of a sweep share. Plain values: it travels as a dict."""

    sweep_uri: str
    data_uri: str
    rungs_images: tuple[int, ...]
    objectives: tuple[str, ...]
    workers: dict[str, Any]
    judging: dict[str, Any]
    max_failures: int

    @property
    def runs_uri(self) -> str:
        return f"{self.sweep_uri}/runs"


def run_trial(given: dict[str, Any]) -> None:
    """Tune's trainable: reports {"number", "images", "values" in JSON, "seconds"} at every rung left.

    Where it fails, {"number", "broke"} by its own configuration, so another trial may fare better; {"number",
    "crashed"} where its training or judging died, and that may be its own too; {"number", "failed"} by anything else.
    What raises is a process that was lost, this one or one that worked for it: Tune is told so, and another takes the
    trial over.
    """
    try:
        climb(given)
    except (WorkerCrashedError, NodeDiedError, OutOfMemoryError):
        raise
    except Exception as error:
        tune.report({"number": given["number"], verdict(error): last_line(error)})


def verdict(error: Exception) -> Literal["broke", "crashed", "failed"]:
    """Not the trial's own is what is wrong with data or storage, and that somebody else holds the run."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    if isinstance(cause, NonFiniteError | CollapseError | PassedRungError):
        return "broke"
    if isinstance(cause, FailedTrainingError | torch.cuda.OutOfMemoryError):
        return "crashed"
    return "failed"


def last_line(error: Exception) -> str:
    """What went wrong, without where."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    lines = str(cause).strip().splitlines()
    return lines[-1] if lines else type(cause).__name__


def climb(given: dict[str, Any]) -> None:
    """From rung to rung, as long as Tune lets it."""
    work, config = TrialWork(**given["work"]), from_dict(given["config"])
    workers = Workers(**work.workers)
    # Else they would have to fit into what Tune has booked for this process.
    anywhere = PlacementGroupSchedulingStrategy(placement_group=None)
    # Not retried by Ray: nobody would hear of it, and what is killed for want of memory may be retried for ever.
    train_task = ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=anywhere)(train_to)
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


def train_to(work: TrialWork, config: Config) -> None:
    """Trains the trial's run to config.schedule.total_images; nothing where it is there already."""
    request = TrainingRequest(
        config=config,
        data_uri=work.data_uri,
        out_uri=work.runs_uri,
        workers=Workers(**work.workers),
        max_failures=work.max_failures,
    )
    ends_at = time.monotonic() + DEAD_OWNER_S
    while True:
        try:
            train(request)
            return
        except LeaseHeldError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(ASK_AGAIN_S)


def judge(work: TrialWork, config: Config, images: int) -> dict[str, float | None]:
    """The numbers of jobs/evaluate.py by their dotted names; kept in the sweep's folder, so a rung is judged once.

    Raises PassedRungError where the run has gone on past it.
    """
    kept, name = open_storage(work.sweep_uri), f"judged/{run_name(config)}-{images}.json"
    try:
        return numbers(json.loads(kept.read_bytes(name)))
    except MissingError:
        pass
    run = open_storage(f"{work.runs_uri}/{run_name(config)}")
    stands_at = read_pointer(run).checkpoints[0]["images_seen"]
    if stands_at != images:
        raise PassedRungError(
            f"{run.uri} stands at {stands_at:,} images, not at the rung of {images:,}: who trained it on?"
        )
    torch.set_num_threads(max(1, Workers(**work.workers).cpus_each))
    size = JudgingSize(**work.judging)
    parts: tuple[Part, ...] = ("depth", "kid", "optics") if size.optics else ("depth", "kid")
    request = small_request(
        size,
        run_uri=run.uri,
        cache_uri=f"{work.sweep_uri}/estimators",
        parts=("kid",) if config.method == "gan" else parts,
        use_gpu=Workers(**work.workers).use_gpu,
    )
    result = strict_json.finite(evaluate(request)[0])
    judged_at = result["protocol"]["images_seen"]
    if judged_at != images:
        raise DataError(f"{run.uri}: the newest checkpoint is broken, the one before is of {judged_at:,} images")
    kept.write_bytes(name, strict_json.dumps(result, indent=1).encode())
    return numbers(result)
