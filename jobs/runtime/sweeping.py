"""From a request to a sweep's table: who may run it, what Tune is asked for, what is shown on the way."""

import _thread
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from argan import strict_json
from argan.data.manifest import Manifest, read_manifest
from argan.data.sources import SCENES_PREFIX
from argan.errors import StorageError, UserError
from argan.evaluation.estimation import RECIPE
from argan.evaluation.protocol import PROTOCOL
from argan.runs.checkpoints import read_pointer
from argan.runs.lease import acquire
from argan.runs.report import picture_positions
from argan.search.course import has_next
from argan.search.crashes import Crashes
from argan.search.known import learn_from
from argan.search.ledger import Ledger, Trial
from argan.search.sweep import Sweep
from argan.search.table import TABLE, sweep_table
from argan.settings import override
from argan.storage import Storage, open_storage
from argan.viewing.sweep_page import sweep_page
from jobs.runtime.cli import say
from jobs.runtime.evaluation import plan_for as plan_judging
from jobs.runtime.last_line import last_line
from jobs.runtime.rung import TrialWork, judging_request
from jobs.runtime.session import joins_cluster, start_ray
from jobs.runtime.sweep_watch import SweepWatch
from jobs.runtime.training import LEASE_S, TrainingRequest
from jobs.runtime.training import plan as plan_training
from jobs.runtime.workers import Workers

PAGE = "report.html"
TRIAL_MEMORY_BYTES = 100 << 20  # booked by Tune for a trial's own process; training and judging book for themselves


@dataclass(frozen=True, kw_only=True)
class SweepRequest:
    """What somebody asked to be searched for, and with what."""

    sweep: Sweep
    data_uri: str
    out_uri: str
    workers: Workers  # of each trial
    concurrent: int = 1
    known_uri: str | None = None  # an earlier sweep's folder
    max_failures: int = 3
    speed_ups: Mapping[str, Any] = field(default_factory=dict)  # keys of all runs: they name none

    @cached_property
    def uri(self) -> str:
        return f"{open_storage(self.out_uri).uri}/{self.resolved.folder}"

    @cached_property
    def manifest(self) -> Manifest:
        return read_manifest(open_storage(self.data_uri))

    @cached_property
    def resolved(self) -> Sweep:
        """The sweep with the data's fingerprint in it, and what it is judged by: on other data it is another sweep."""
        judged_by = f"{PROTOCOL} {RECIPE}" + (" KID of its own photos" if self.photos_uri else "")
        return replace(self.sweep, data_fingerprint=self.manifest.order_fingerprint, judged_by=judged_by)

    @property
    def photos_uri(self) -> str | None:
        """What KID compares with: the set's own photos. Of scenes there are others: those that judge depth."""
        is_scenes = self.manifest.source.startswith(SCENES_PREFIX)
        return None if is_scenes else open_storage(self.data_uri).uri


def plan(request: SweepRequest) -> dict[str, Any]:
    """What would be run. Writes nothing. Raises UserError where no trial could be trained or judged."""
    sweep = request.resolved
    require_feasible(request)
    ledger = Ledger(open_storage(request.uri), sweep)
    return {
        "sweep": request.uri,
        "trials": sweep.num_trials,
        **({"grid_points": sweep.num_grid_points} if sweep.search == "grid" else {}),
        "proposed_already": len(ledger.trials),
        "most_images": sweep.num_trials * sweep.rungs_images[-1],
        "concurrent": request.concurrent,
        "speed_ups": dict(request.speed_ups),
        "definition": sweep.definition(),
    }


def require_feasible(request: SweepRequest) -> None:
    """Raises UserError, before anything is written, where training or judging would refuse the data."""
    examples = [override(config, request.speed_ups) for config in request.resolved.examples().values()]
    # Each reads the set's manifest anew: one of those that ask the same of it is enough.
    for config in {(one.resolution, one.data.num_lanes, one.method): one for one in examples}.values():
        plan_training(
            TrainingRequest(config=config, data_uri=request.data_uri, out_uri=request.uri, workers=request.workers)
        )
        plan_judging(config, judging_request(request.resolved.judging, config, request.uri, request.photos_uri, None))


def run_sweep(request: SweepRequest) -> dict[str, Any]:
    """Runs what is left of it, and returns the table. Raises UserError with one sentence for a person."""
    sweep = request.resolved
    require_feasible(request)
    folder = open_storage(request.uri)
    with acquire(folder, lease_s=LEASE_S, on_lost=_thread.interrupt_main) as lease:
        ledger = Ledger(folder, sweep)
        ledger.begin()
        if request.known_uri and not ledger.known:
            learn_from(open_storage(request.known_uri), ledger)
        elif request.known_uri and ledger.known_from != open_storage(request.known_uri).uri:
            raise UserError(f"this sweep began with what {ledger.known_from} found, not {request.known_uri}")
        if sweep.search == "grid" and sweep.num_trials < sweep.num_grid_points:
            print(f"{sweep.num_trials} of the grid's {sweep.num_grid_points} points are tried (--num-trials)")
        watch = SweepWatch(ledger, folder.child("runs"))
        print(f"sweep {folder.uri}: {sweep.num_trials} trials of {sweep.rungs_images[-1]:,} images", flush=True)

        def told(trial: Trial) -> None:
            lease.require_held()
            try:
                write_page(folder, ledger, request.data_uri)
            except StorageError as error:  # it can be written anew from the ledger at any time
                say(f"the page could not be written: {error}")
            watch.tell(trial)

        if has_next(ledger):
            with watch.following():
                _run_on_ray(request, ledger, f"tune-{lease.generation}", told)
        table = write_page(folder, ledger, request.data_uri)
    ends = [trial for trial in ledger.trials if trial.status]
    if ends and all(trial.status == "broke" for trial in ends):
        raise UserError(f"every trial broke, the last one: {ends[-1].error}")
    return table


def report(request: SweepRequest) -> dict[str, Any]:
    """Writes table and page of what there is, beside whoever runs it. Raises UserError where nothing is."""
    folder = open_storage(request.uri)
    ledger = Ledger(folder, request.resolved)
    if not ledger.trials:
        raise UserError(f"there is no sweep at {folder.uri} yet")
    return write_page(folder, ledger, request.data_uri)


def write_page(folder: Storage, ledger: Ledger, data_uri: str) -> dict[str, Any]:
    """Puts table and page beside the ledger; returns the table."""
    runs = folder.child("runs")
    table = sweep_table(ledger, data_uri=data_uri, runs_uri=runs.uri)
    folder.write_bytes(TABLE, strict_json.dumps(table, indent=1).encode())
    pictures = {trial.number: picture for trial in ledger.trials if (picture := newest_grid(runs.child(trial.run)))}
    folder.write_bytes(PAGE, sweep_page(table, pictures).encode())
    return table


def newest_grid(run: Storage) -> bytes | None:
    positions = picture_positions(run)
    return run.read_bytes(f"pictures/grid-{positions[-1]:012d}.png") if positions else None


def newest_images(run: Storage) -> int:
    """Images seen at its newest checkpoint; 0 where there is none, or it cannot be read."""
    try:
        checkpoints = read_pointer(run).checkpoints
    except UserError:  # storage is away, or the pointer is damaged: who goes on there says so
        return 0
    return checkpoints[0]["images_seen"] if checkpoints else 0


def trial_workers(request: SweepRequest, nodes: list[dict[str, Any]]) -> Workers:
    """A trial's workers, each with an equal share of what the cluster has. Raises UserError where they do not fit."""
    from jobs.runtime.trainer import scaling

    asked, at_once = request.workers, request.concurrent
    together = replace(asked, minimum=asked.minimum * at_once, maximum=asked.maximum * at_once)
    given = scaling(together, nodes)
    cpus_each = int(given.resources_per_worker["CPU"])
    return replace(asked, cpus_each=cpus_each, use_gpu=given.use_gpu, is_settled=True)


def _run_on_ray(request: SweepRequest, ledger: Ledger, name: str, told: Callable[[Trial], None]) -> None:
    with start_ray():
        # These import Ray, which reads its environment at import: start_ray has set it by now.
        import ray
        from ray import tune
        from ray.exceptions import OutOfMemoryError

        from jobs.runtime.rays_place import rays_place
        from jobs.runtime.trial import run_trial
        from jobs.runtime.tune_ledger import LedgerScheduler, LedgerSearch

        workers = trial_workers(request, ray.nodes())
        work = TrialWork(
            sweep_uri=request.uri,
            data_uri=open_storage(request.data_uri).uri,
            photos_uri=request.photos_uri,
            rungs_images=ledger.sweep.rungs_images,
            objectives=tuple(objective.name for objective in ledger.sweep.objectives),
            workers=asdict(workers),
            speed_ups=dict(request.speed_ups),
            judging=asdict(ledger.sweep.judging),
            max_failures=request.max_failures,
            nodes_may_come=joins_cluster(),
        )
        crashes = Crashes(ledger, request.max_failures)
        runs = open_storage(work.runs_uri)
        scheduler = LedgerScheduler(
            ledger, crashes, told, lambda run: newest_images(runs.child(run)), request.max_failures
        )
        try:
            tune.Tuner(
                tune.with_resources(run_trial, {"memory": TRIAL_MEMORY_BYTES}),
                tune_config=tune.TuneConfig(
                    search_alg=LedgerSearch(ledger, crashes, {"work": asdict(work)}, request.concurrent),
                    scheduler=scheduler,
                    num_samples=-1,  # until the search has nothing left
                ),
                run_config=tune.RunConfig(
                    name=name,  # a new one each time: the ledger is the truth, Tune's own files are for nobody
                    **rays_place(f"{request.uri}/ray"),
                    verbose=0,
                ),
            ).fit()
        except Exception as error:
            if scheduler.failed is not None:
                raise scheduler.failed from None
            if isinstance(error, OSError):  # Tune's own files, in its constructor too
                raise StorageError(
                    f"{request.uri}/ray cannot be written, the same command goes on: {last_line(error)}"
                ) from error
            if isinstance(error.__cause__, OutOfMemoryError):  # of a trial's own process: Tune gives up then
                raise UserError("a trial's process was killed for want of memory, the same command goes on") from error
            raise
    if has_next(ledger):
        raise UserError("trials are left and Tune has ended: the same command goes on")
