"""A training run as Ray runs it: workers, their processors, what happens when one dies."""

from typing import Any

import ray
from ray.train import ControllerError, FailureConfig, RunConfig, ScalingConfig, TrainingFailedError, WorkerGroupError
from ray.train.torch import TorchConfig, TorchTrainer

from argan.errors import ConflictError, MissingError, StorageError, UserError
from jobs.runtime.journal import Journal
from jobs.runtime.worker import Work, train_worker
from jobs.runtime.workers import Workers


class WorkersFailedError(Exception):
    """Workers died or lost their way to each other or to storage: worth another try from the last checkpoint."""


def fit(name: str, work: Work, workers: Workers, journal: Journal) -> int:
    """Trains to the end, or until the time is up; returns the images seen.

    Ray itself does not try again: whether a failure is worth it is for the caller to say. Raises UserError with a
    worker's own sentence where trying again would end the same way, WorkersFailedError for any other failure.
    """
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=work.as_dict(),
        torch_config=TorchConfig(backend=None),  # gloo on CPU, NCCL on GPU
        scaling_config=scaling(workers, ray.nodes()),
        run_config=RunConfig(
            name=name,  # a new one each time: Ray's own resume stays out of it, the run's pointer is the truth
            storage_path=f"{work.run_uri}/ray",
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0),
            callbacks=[journal],
        ),
    )
    try:
        result = trainer.fit()
    except TrainingFailedError as error:
        raise reason(error) from error
    except SystemExit:
        raise KeyboardInterrupt from None  # what Ray makes of Ctrl-C, once it has stopped its workers
    returned = result.return_value
    if returned is None:
        raise KeyboardInterrupt  # the same, a little earlier
    if "error" in returned:
        raise UserError(returned["error"])
    return int(returned["images_seen"])


def scaling(workers: Workers, nodes: list[dict[str, Any]]) -> ScalingConfig:
    """What to ask Ray for, on the nodes (as ray.nodes() tells them) that are there now.

    Raises UserError where they do not have it: Ray would wait for ever.
    """
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = int(sum(each.get("GPU", 0) for each in resources))
    use_gpu = gpus >= workers.minimum if workers.use_gpu is None else workers.use_gpu
    if use_gpu and gpus < workers.minimum:
        raise UserError(f"{workers.minimum} workers need a GPU each, the cluster has {gpus}")
    most = min(workers.maximum, gpus) if use_gpu else workers.maximum
    places = [int(each.get("CPU", 0)) for each in resources if not use_gpu or each.get("GPU", 0) >= 1]
    cpus_each = workers.cpus_each or max(1, most_cpus_each(places, most))
    if sum(cpus // cpus_each for cpus in places) < workers.minimum:
        raise UserError(
            f"{workers.minimum} workers with {cpus_each} CPU each need more than the cluster's {places} CPU"
        )
    return ScalingConfig(
        num_workers=workers.minimum if workers.minimum == workers.maximum else (workers.minimum, workers.maximum),
        use_gpu=use_gpu,
        resources_per_worker={"CPU": cpus_each, **({"GPU": 1} if use_gpu else {})},
    )


def most_cpus_each(places: list[int], num_workers: int) -> int:
    """The most processors that every worker can have, on nodes with so many; 0 where they do not fit at all."""
    fitting = (each for each in range(max(places, default=0), 0, -1) if sum(n // each for n in places) >= num_workers)
    return next(fitting, 0)


def reason(error: TrainingFailedError) -> Exception:
    """The worker's own sentence, where one of them gave up for good; else that the workers failed, and how."""
    failures = list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else []
    if isinstance(error, ControllerError):
        failures.append(error.controller_failure)
    for failure in failures:
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, UserError) and not passes(cause):
                return cause
            cause = getattr(cause, "cause", None) or getattr(cause, "_base_exc", None) or cause.__cause__
    return WorkersFailedError(str(error))


def passes(error: UserError) -> bool:
    """Whether it may be gone the next time: storage that stayed away, not what is missing or was lost to another."""
    return isinstance(error, StorageError) and not isinstance(error, ConflictError | MissingError)
