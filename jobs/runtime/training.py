"""From a request to a trained run: what is checked first, who may train, what is tried again, how it ends."""

import _thread
import time
from dataclasses import dataclass, field
from typing import Any

from argan.config import Config
from argan.data.manifest import Manifest, read_manifest
from argan.data.shard_files import misfit
from argan.errors import DataError, MissingError, StorageError, UserError
from argan.runs.checkpoints import load_checkpoint, read_pointer
from argan.runs.folder import open_run, write_config
from argan.runs.lease import Lease, acquire
from argan.runs.report import REPORT, write_report
from argan.settings import override, run_name, to_dict
from argan.storage import Storage, open_storage
from jobs.runtime.cli import Progress, say
from jobs.runtime.guarding import end_if_collapsed
from jobs.runtime.session import joins_cluster, start_ray
from jobs.runtime.watch import Watch
from jobs.runtime.workers import Workers

LEASE_S = 60.0
CRAWLS = "this processor has no units for bf16 and may take ten times as long: --compute.precision fp32 (another run)"


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What somebody asked to be trained, and with what."""

    config: Config
    data_uri: str
    out_uri: str
    workers: Workers
    max_failures: int = 3  # in a row, without a checkpoint between them
    max_seconds: float = float("inf")
    command: str = ""  # the words that resume it
    nodes_may_come: bool = field(default_factory=joins_cluster)


def plan(request: TrainingRequest) -> dict[str, Any]:
    """What would be run: the resolved configuration and the arithmetic of its batches. Writes nothing."""
    data = open_storage(request.data_uri)
    manifest = read_manifest(data, resolution=request.config.resolution)
    config = _resolve(request, manifest)
    batch, total = config.data.batch_images, config.schedule.total_images
    return {
        "run": open_storage(request.out_uri).child(run_name(config)).uri,
        "data": data.uri,
        "samples": manifest.num_samples,
        "workers": [request.workers.minimum, request.workers.maximum],
        "batches": -(-total // batch),
        "epochs": round(total / manifest.num_samples, 2),
        "ticks": -(-total // config.schedule.tick_images),
        "config": to_dict(config),
    }


def train(request: TrainingRequest) -> Storage:
    """Trains, resumes, or finds the run finished; returns its folder. Raises UserError with one sentence for a
    person.
    """
    data = open_storage(request.data_uri)
    manifest = read_manifest(data, resolution=request.config.resolution)
    config = _resolve(request, manifest)
    _check_shards(data, manifest)
    run = open_run(request.out_uri, config)
    total = config.schedule.total_images
    print(f"run {run.uri}", flush=True)
    with acquire(run, lease_s=LEASE_S, on_lost=_thread.interrupt_main, after=read_pointer(run).attempt) as lease:
        try:
            write_config(run, config)
            seen = _images_done(run)
            end_if_collapsed(run, config, seen, attempt=lease.generation)
            if seen >= total:
                print(f"finished already at {seen:,} images; --schedule.total_images trains it longer")
            else:
                print(f"{'resuming' if seen else 'starting'} at {seen:,} of {total:,} images", flush=True)
                seen = _train_on_ray(request, config, run, data.uri, lease, seen)
                print(f"{'finished' if seen >= total else 'stopped when its time was up'} at {seen:,} images")
            lease.require_held()  # else the page is another's
            state = "finished" if seen >= total else "stopped when its time was up"
            write_report(run, state=state, resume_command=request.command)
        except BaseException as error:
            _write_bad_end(run, lease, error, request.command)
            raise
    print(f"report {run.uri}/{REPORT}")
    return run


def _train_on_ray(
    request: TrainingRequest, config: Config, run: Storage, data_uri: str, lease: Lease, done: int
) -> int:
    """Images seen when it ended. After a failure it goes on from the last checkpoint, as often as was asked."""
    ends_at = time.time() + request.max_seconds
    with start_ray(), Watch(run, Progress(config.schedule.total_images, "images")).following():
        # These import Ray, which reads its environment at import: start_ray has set it by now.
        import ray

        from argan.training.number_formats import crawls, multiplies_bf16
        from jobs.runtime.journal import Journal
        from jobs.runtime.trainer import fit, keep_trying, scaling
        from jobs.runtime.worker import Work

        asked = scaling(request.workers, ray.nodes())
        if not asked.use_gpu and crawls(config, has_bf16=multiplies_bf16()):
            say(f"warning: {CRAWLS}")

        def try_once(start_images: int) -> int:
            attempt = lease.generation
            work = Work(config=to_dict(config), run_uri=run.uri, data_uri=data_uri, attempt=attempt, ends_at=ends_at)
            journal = Journal(run.uri, board=str(attempt), start_images=start_images, command=request.command)
            end_if_collapsed(run, config, start_images, attempt=attempt)  # and then died, perhaps
            images_seen = fit(f"attempt-{attempt}", work, asked, journal)
            end_if_collapsed(run, config, images_seen, attempt=attempt)
            return images_seen

        return keep_trying(
            try_once,
            lambda: _images_done(run),
            lease,
            start_images=done,
            max_failures=request.max_failures,
            ends_at=ends_at,
            nodes_may_come=request.nodes_may_come,
        )


def _write_bad_end(run: Storage, lease: Lease, error: BaseException, command: str) -> None:
    """Puts on the run's page how it ended. As well as it goes: the error itself is what people must get to see."""
    if lease.lost or (isinstance(error, StorageError) and not isinstance(error, MissingError)):
        return  # the page is another's; or storage is away, and to ask it again would only hold up the message
    state = "interrupted" if isinstance(error, KeyboardInterrupt) else f"stopped: {str(error) or type(error).__name__}"
    try:
        lease.heartbeat()
        write_report(run, state=state, resume_command=command)
    except Exception as second:
        say(f"{run.uri}/{REPORT} does not say how the run ended: {second}")


def _images_done(run: Storage) -> int:
    """Where the newest sound checkpoint stands; a broken one is named on the way."""
    saved = load_checkpoint(run, warn=say)
    return 0 if saved is None else saved.images_seen


def _resolve(request: TrainingRequest, manifest: Manifest) -> Config:
    """The configuration with the data's fingerprint in it. Raises UserError where data or workers do not fit it."""
    config = request.config
    request.workers.require_lanes(config.data.num_lanes)
    if manifest.num_samples < config.data.num_lanes:
        few = f"{manifest.num_samples} samples, fewer than data.num_lanes = {config.data.num_lanes}"
        raise UserError(f"{request.data_uri} has {few}")
    return override(config, {"data.fingerprint": manifest.order_fingerprint})


def _check_shards(data: Storage, manifest: Manifest) -> None:
    """Whether the shards are there and whole, before any worker is started."""
    if lost := misfit(data, {shard.name: shard.size_bytes for shard in manifest.shards}):
        raise DataError(f"the set does not fit the manifest: {lost}")
