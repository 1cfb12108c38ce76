"""From an order to a trained run: what is checked first, who may train, what Ray does, how it ends."""

from dataclasses import dataclass
from typing import Any

from argan.config import Config
from argan.data.manifest import Manifest, read_manifest
from argan.errors import UserError
from argan.runs.checkpoints import read_pointer
from argan.runs.folder import open_run
from argan.runs.lease import acquire
from argan.runs.report import REPORT, write_report
from argan.settings import override, run_name, to_dict
from argan.storage import Storage, open_storage
from jobs.runtime.cli import Progress
from jobs.runtime.session import start_ray
from jobs.runtime.watch import Watch

LEASE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asked to be trained, and with what."""

    config: Config
    data_uri: str
    out_uri: str
    workers: tuple[int, int]  # fewest and most
    cpus_each: int = 0  # 0: share out the processors that the cluster has
    use_gpu: bool | None = None  # None: where the cluster has them
    max_failures: int = 3
    max_seconds: float = float("inf")
    command: str = ""  # the words that resume it


def plan(order: Order) -> dict[str, Any]:
    """What would be run: the resolved configuration and the arithmetic of its batches. Writes nothing."""
    data = open_storage(order.data_uri)
    manifest = read_manifest(data)
    config = _resolve(order, manifest)
    batch, total = config.data.batch_images, config.schedule.total_images
    return {
        "run": open_storage(order.out_uri).child(run_name(config)).uri,
        "data": data.uri,
        "samples": manifest.num_samples,
        "workers": list(order.workers),
        "batches": -(-total // batch),
        "epochs": round(total / manifest.num_samples, 2),
        "ticks": -(-total // config.schedule.tick_images),
        "config": to_dict(config),
    }


def train(order: Order) -> Storage:
    """Trains, resumes, or finds the run finished; returns its folder. Raises UserError with one sentence for a
    person.
    """
    data = open_storage(order.data_uri)
    manifest = read_manifest(data)
    config = _resolve(order, manifest)
    _check_shards(data, manifest)
    run = open_run(order.out_uri, config)
    total = config.schedule.total_images
    done = next((entry["images_seen"] for entry in read_pointer(run).checkpoints), 0)
    print(f"run {run.uri}", flush=True)
    if done >= total:
        print(f"finished already at {done:,} images; --schedule.total_images trains it longer")
        state = "finished"
    else:
        with acquire(run, lease_s=LEASE_S) as lease:
            print(f"{'resuming' if done else 'starting'} at {done:,} of {total:,} images", flush=True)
            seen = _train_on_ray(order, config, run, data.uri, attempt=lease.generation, done=done)
        state = "finished" if seen >= total else "stopped when its time was up"
        print(f"{state} at {seen:,} images")
    write_report(run, state=state, resume_command=order.command)
    print(f"report {run.uri}/{REPORT}")
    return run


def _train_on_ray(order: Order, config: Config, run: Storage, data_uri: str, *, attempt: int, done: int) -> int:
    """Images seen when it ended."""
    with start_ray():
        # These import Ray, which reads its environment at import: start_ray has set it by now.
        from jobs.runtime.journal import Journal
        from jobs.runtime.trainer import Workers, fit
        from jobs.runtime.worker import Work

        work = Work(
            config=to_dict(config),
            run_uri=run.uri,
            data_uri=data_uri,
            attempt=attempt,
            max_seconds=order.max_seconds,
        )
        workers = Workers(
            minimum=order.workers[0],
            maximum=order.workers[1],
            cpus_each=order.cpus_each,
            use_gpu=order.use_gpu,
            max_failures=order.max_failures,
        )
        journal = Journal(run.uri, attempt=attempt, start_images=done, resume_command=order.command)
        with Watch(run, Progress(config.schedule.total_images, "images", start=done)):
            return fit(work, workers, journal)


def _resolve(order: Order, manifest: Manifest) -> Config:
    """The configuration with the data's fingerprint in it. Raises UserError where the data does not fit."""
    config = order.config
    if manifest.resolution != config.resolution:
        raise UserError(f"{order.data_uri} is packed at {manifest.resolution} px, the run wants {config.resolution} px")
    if manifest.num_samples < config.data.num_lanes:
        few = f"{manifest.num_samples} samples, fewer than data.num_lanes = {config.data.num_lanes}"
        raise UserError(f"{order.data_uri} has {few}")
    return override(config, {"data.fingerprint": manifest.order_fingerprint})


def _check_shards(data: Storage, manifest: Manifest) -> None:
    """One listing tells whether the shards are there and whole, before any worker is started."""
    sizes = {entry.path: entry.size_bytes for entry in data.list("shards/")}
    for shard in manifest.shards:
        size = sizes.get(shard.name)
        if size != shard.size_bytes:
            found = "missing" if size is None else f"{size:,} bytes"
            raise UserError(
                f"{data.uri}/{shard.name} does not fit the manifest: {found}, expected {shard.size_bytes:,} bytes"
            )
