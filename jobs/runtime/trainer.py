"""A training run as Ray runs it: workers, their processors, what happens when one dies."""

from dataclasses import dataclass

import ray
from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError, WorkerGroupError
from ray.train.torch import TorchConfig, TorchTrainer

from argan.errors import UserError
from jobs.runtime.journal import Journal
from jobs.runtime.worker import Work, train_worker


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How many workers, and what each of them gets. A range is elastic: Ray takes what there is."""

    minimum: int
    maximum: int
    cpus_each: int  # 0: share out the processors that the cluster has
    use_gpu: bool | None  # None: where the cluster has enough of them
    max_failures: int  # worker failures that are recovered from before the run gives up


def fit(work: Work, workers: Workers, journal: Journal) -> int:
    """Trains to the end, or until the time is up; returns the images seen.

    Raises UserError with a worker's own sentence where that is what went wrong, RuntimeError for any other failure.
    """
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=work.as_dict(),
        torch_config=TorchConfig(backend=None),  # gloo on CPU, NCCL on GPU
        scaling_config=scaling(workers, ray.cluster_resources()),
        run_config=RunConfig(
            name=f"attempt-{work.attempt}",  # Ray's own resume stays out of it: the run's pointer is the truth
            storage_path=f"{work.run_uri}/ray",
            failure_config=FailureConfig(max_failures=workers.max_failures),
            callbacks=[journal],
        ),
    )
    try:
        result = trainer.fit()
    except TrainingFailedError as error:
        raise _reason(error) from error
    returned = result.return_value
    if "error" in returned:
        raise UserError(returned["error"])
    return returned["images_seen"]


def scaling(workers: Workers, resources: dict[str, float]) -> ScalingConfig:
    """What to ask Ray for. Raises UserError when the cluster does not have it, instead of waiting for ever."""
    cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    use_gpu = gpus >= workers.minimum if workers.use_gpu is None else workers.use_gpu
    if use_gpu and gpus < workers.minimum:
        raise UserError(f"{workers.minimum} workers need a GPU each, the cluster has {gpus}")
    most = min(workers.maximum, gpus) if use_gpu else workers.maximum
    cpus_each = workers.cpus_each or max(1, cpus // most)
    if cpus_each * workers.minimum > cpus:
        raise UserError(f"{workers.minimum} workers with {cpus_each} CPU each need more than the cluster's {cpus} CPU")
    return ScalingConfig(
        num_workers=workers.minimum if workers.minimum == workers.maximum else (workers.minimum, workers.maximum),
        use_gpu=use_gpu,
        resources_per_worker={"CPU": cpus_each, **({"GPU": 1} if use_gpu else {})},
    )


def _reason(error: TrainingFailedError) -> Exception:
    """The worker's own sentence, where one of them gave up with a UserError."""
    failures = error.worker_failures.values() if isinstance(error, WorkerGroupError) else ()
    for failure in failures:
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, UserError):
                return cause
            cause = getattr(cause, "cause", None) or getattr(cause, "_base_exc", None) or cause.__cause__
    return RuntimeError(str(error))
