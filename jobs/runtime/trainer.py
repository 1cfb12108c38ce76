"""A training run as Ray runs it: workers, their processors, what happens when one dies."""

import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ray.exceptions import OutOfMemoryError, RayActorError
from ray.train import ControllerError, FailureConfig, RunConfig, ScalingConfig, TrainingFailedError, WorkerGroupError
from ray.train.torch import TorchConfig, TorchTrainer
from ray.train.v2._internal.exceptions import WorkerGroupStartupTimeoutError  # not to be had otherwise

from argan.errors import FailedTrainingError, NonFiniteError, StorageError, UserError, passes
from argan.runs.lease import Lease
from jobs.runtime.cli import say
from jobs.runtime.journal import Journal
from jobs.runtime.last_line import last_line
from jobs.runtime.rays_place import rays_place
from jobs.runtime.worker import Work, train_worker
from jobs.runtime.workers import Workers

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 60.0  # before another try: four times as long after each failure in a row

# glibc hands the memory of every large tensor back to the system and asks for it again, page by page, at the next step.
# Where it keeps it, a step on the CPU is some 5 % faster (docs/LOG.md, 2026-11-25). Other C libraries pay no heed.
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
}


class WorkersFailedError(Exception):
    """Workers died or lost their way to each other or to storage: worth another try from the last checkpoint."""

    def __init__(self, text: str, *, of_storage: bool = False) -> None:
        super().__init__(text)
        self.of_storage = of_storage


class NoRoomError(Exception):
    """Workers had no place for as long as Ray lets them wait: nothing failed, and a node may come."""


def keep_trying(
    try_once: Callable[[int], int],
    images_done: Callable[[], int],
    lease: Lease,
    *,
    start_images: int,
    max_failures: int,
    ends_at: float = math.inf,
    nodes_may_come: bool = True,
) -> int:
    """Images seen when it ended. `try_once(start_images)` is called until it returns, each time from where
    `images_done()` says that the run stands and with a generation of the lease of its own, after a wait that grows with
    the failures in a row.

    Failures are in a row while no checkpoint beyond all before was made between them; storage that stays away where one
    would go on is a failure too. After more than `max_failures` it raises FailedTrainingError, or UserError where it
    was storage; ConflictError where the lease is lost. Workers without a place are asked for again as long as it takes,
    Ray itself waits a minute each time; but where no node can come, something dead holds their place, and that is a
    failure. No try begins after `ends_at`, seconds since 1970.
    """
    failures, is_first, farthest = 0, True, start_images
    problem: WorkersFailedError | NoRoomError
    while True:
        lease.require_held()
        if not is_first and time.time() > ends_at:
            return start_images
        try:
            return try_once(start_images)
        except NoRoomError as waits:
            problem = waits if nodes_may_come else WorkersFailedError(str(waits))
        except WorkersFailedError as failed:
            problem = failed
        except StorageError as away:
            if not passes(away):
                raise
            problem = WorkersFailedError(str(away), of_storage=True)
        failures += isinstance(problem, WorkersFailedError)
        while True:
            try:
                lease.renew()  # a conditional write: it tells whether the run is still ours
                reached = images_done()
                break
            except StorageError as away:
                if not passes(away):
                    raise
                failures += 1
                pause_after(away, failures, max_failures, start_images)
        if reached > farthest:  # a group that grows or shrinks finds no place after it has trained
            farthest, failures = reached, min(failures, 1)
        start_images = reached  # or farther back, where the newest checkpoint cannot be read
        if isinstance(problem, NoRoomError):
            say(f"{problem}; going on from {start_images:,} images when there is")
        else:
            pause_after(problem, failures, max_failures, start_images)
        is_first = False


def pause_after(problem: Exception, failures: int, max_failures: int, images_seen: int) -> None:
    """Waits before the next try, and says so. Raises UserError where there were failures enough."""
    died = isinstance(problem, WorkersFailedError)
    said = last_line(problem)
    if failures > max_failures:
        if died:
            say(str(problem))  # the workers' own traceback, for whoever mends it
        times = "once" if failures == 1 else f"{failures} times in a row"
        kind = FailedTrainingError if isinstance(problem, WorkersFailedError) and not problem.of_storage else UserError
        raise kind(f"training failed {times} at {images_seen:,} images, the last time with {said}")
    wait_s = min(FIRST_WAIT_S * 4 ** (failures - 1), LONGEST_WAIT_S)
    what = f"workers failed, going on from {images_seen:,} images" if died else "storage stays away, asked again"
    say(f"{what} in {wait_s:g} s: {said}")
    time.sleep(wait_s)


def fit(name: str, work: Work, asked: ScalingConfig, journal: Journal) -> int:
    """Trains to the end, or until the time is up; returns the images seen.

    Ray itself does not try again: whether a failure is worth it is for the caller to say. Raises UserError with a
    worker's own sentence where trying again would end the same way, NoRoomError where they had no place,
    WorkersFailedError for any other failure.
    """
    chosen = {name: os.environ[name] for name in KEEP_MEMORY if name in os.environ}  # what the user has set wins
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=work.as_dict(),
        torch_config=TorchConfig(backend=None),  # gloo on CPU, NCCL on GPU
        scaling_config=asked,
        run_config=RunConfig(
            name=name,  # a new one each time: Ray's own resume stays out of it, the run's pointer is the truth
            **rays_place(f"{work.run_uri}/ray"),
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0, max_preemption_failures=0),
            callbacks=[journal],
            worker_runtime_env=None if asked.use_gpu else {"env_vars": KEEP_MEMORY | chosen},
        ),
    )
    try:
        with rays_handling_of_ctrl_c():
            result = trainer.fit()
    except TrainingFailedError as error:
        raise reason(error) from error
    except (RayActorError, OutOfMemoryError) as error:  # Ray's controller itself, which writes to storage too
        raise WorkersFailedError(str(error)) from error
    returned = result.return_value
    if returned is None:
        raise KeyboardInterrupt  # the same, a little earlier
    if "error" in returned:
        raise NonFiniteError(returned["error"])
    return int(returned["images_seen"])


@contextmanager
def rays_handling_of_ctrl_c() -> Iterator[None]:
    """Ray answers Ctrl-C by stopping its workers and an exit with code 0: here that is a KeyboardInterrupt as ever.

    Ray also leaves its handler behind, which would go on stopping workers that are no more, and nobody else.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def scaling(workers: Workers, nodes: list[dict[str, Any]]) -> ScalingConfig:
    """What to ask Ray for, on the nodes (as ray.nodes() tells them) that are there when the job begins.

    Raises UserError where they do not have it: the job would wait for ever. Asked once a job, so that a try after a
    node was lost asks for the same and waits for another node, instead of giving up or going on without GPUs; nor of
    workers that are settled.
    """
    if workers.is_settled:
        return _config(workers, workers.cpus_each, bool(workers.use_gpu))
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = int(sum(each.get("GPU", 0) for each in resources))
    use_gpu = gpus > 0 if workers.use_gpu is None else workers.use_gpu
    if use_gpu and gpus < workers.minimum:  # nor on processors, where GPUs were meant
        otherwise = "; or --device cpu" if workers.use_gpu is None else ""
        raise UserError(f"{workers.minimum} workers need a GPU each, the cluster has {gpus}{otherwise}")
    most = min(workers.maximum, gpus) if use_gpu else workers.maximum
    rooms = [Room(int(each.get("CPU", 0)), int(each.get("GPU", 0)) if use_gpu else None) for each in resources]
    cpus_each = workers.cpus_each or max(1, most_cpus_each(rooms, most))
    if sum(room.num_workers(cpus_each) for room in rooms) < workers.minimum:
        cpus = [room.cpus for room in rooms if room.gpus != 0]
        raise UserError(f"{workers.minimum} workers with {cpus_each} CPU each need more than the cluster's {cpus} CPU")
    return _config(workers, cpus_each, use_gpu)


def _config(workers: Workers, cpus_each: int, use_gpu: bool) -> ScalingConfig:
    return ScalingConfig(
        num_workers=workers.minimum if workers.minimum == workers.maximum else (workers.minimum, workers.maximum),
        use_gpu=use_gpu,
        resources_per_worker={"CPU": cpus_each, **({"GPU": 1} if use_gpu else {})},
    )


class Room(NamedTuple):
    """What a node has; `gpus` is None where workers take none."""

    cpus: int
    gpus: int | None = None

    def num_workers(self, cpus_each: int) -> int:
        """How many have a place here, with a GPU each where they take one."""
        num = self.cpus // cpus_each
        return num if self.gpus is None else min(num, self.gpus)


def most_cpus_each(rooms: list[Room], num_workers: int) -> int:
    """The most processors that every worker can have, on such nodes; 0 where they do not fit at all."""
    for cpus_each in range(max((room.cpus for room in rooms), default=0), 0, -1):
        if sum(room.num_workers(cpus_each) for room in rooms) >= num_workers:
            return cpus_each
    return 0


def reason(error: TrainingFailedError) -> Exception:
    """The worker's own sentence, where one of them gave up for good; that they had no place; else that the workers
    failed, and how.
    """
    failures = list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else []
    if isinstance(error, ControllerError):
        if isinstance(error.controller_failure, WorkerGroupStartupTimeoutError):
            return NoRoomError(f"no place for {error.controller_failure.num_workers} workers: waiting for one")
        failures.append(error.controller_failure)
    of_storage = False
    for failure in failures:
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, UserError) and not passes(cause):
                return cause
            of_storage = of_storage or isinstance(cause, StorageError)
            cause = getattr(cause, "cause", None) or getattr(cause, "_base_exc", None) or cause.__cause__
    return WorkersFailedError(str(error), of_storage=of_storage)
