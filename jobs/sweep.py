"""Search for good configurations: trials of jobs/train.py, judged by jobs/evaluate.py, the hopeless given up early.

On a laptop:    python jobs/sweep.py aperture_prior --data build/scenes32 --out build/sweeps
On a cluster:   ray job submit --working-dir . -- python jobs/sweep.py aperture_prior --concurrent 4 \\
                    --data s3://BUCKET/scenes32 --out s3://BUCKET/sweeps

SWEEP is a file in sweeps/: which keys vary, over what, judged by what. The same command again goes on where it was
stopped, however it was: no trial is lost and none runs twice (on another machine some 90 s later, when the dead one's
lease has run out). --report writes the page of what there is by now, while the sweep runs or after; give it the same
--search and --stopping, which say which sweep it is, and the same --num-trials.
"""

import argparse
import dataclasses
import importlib
import json
import pkgutil
from typing import TYPE_CHECKING, Any

import sweeps
from argan.viewing.numbers import number
from jobs.runtime.cli import run_job
from jobs.runtime.flags import add_config_flags, config_changes, count, is_speed_up, whole
from jobs.runtime.workers import DEVICES, Workers

if TYPE_CHECKING:
    from argan.search.sweep import Sweep


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    from jobs.runtime.sweeping import PAGE, SweepRequest, plan, report, run_sweep  # --help answers at once

    request = SweepRequest(
        sweep=named_sweep(arguments.sweep, changes(arguments)),
        data_uri=arguments.data,
        out_uri=arguments.out,
        workers=Workers(
            minimum=arguments.num_workers,
            maximum=arguments.num_workers,
            cpus_each=arguments.cpus_per_worker,
            use_gpu=DEVICES[arguments.device],
        ),
        concurrent=arguments.concurrent,
        known_uri=arguments.known,
        max_failures=arguments.max_failures,
        speed_ups=arguments.speed_ups,
    )
    if arguments.dry_run:
        print(json.dumps(plan(request), indent=2))
        return 0
    table = report(request) if arguments.report else run_sweep(request)
    for trial in (table["trials"][index] for index in table["front"]):
        print(f"front: trial {trial['number']} {trial['changes']} {objectives(table, trial)}")
    print(f"{request.uri}/{PAGE}")
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The job's own arguments, and in `speed_ups` the configuration keys that were given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("sweep", metavar="SWEEP", choices=names(), help=f"one of {', '.join(names())}")
    add(
        "--data",
        required=True,
        metavar="URI",
        help="a set packed by jobs/pack.py, for all trials; KID compares with its photos (of scenes: with others)",
    )
    add("--out", required=True, metavar="URI", help="where sweeps live; this one becomes a folder in it")
    add("--report", action="store_true", help="only write the page of what there is by now")
    add("--num-trials", type=count, help="another number than the sweep's own; a larger one later goes on")
    add("--concurrent", type=count, default=1, metavar="N", help="trials at a time, sharing the cluster (default 1)")
    add("--search", choices=("grid", "random", "optuna"), help="another than the sweep's own")
    add("--stopping", choices=("none", "asha", "dominated"), help="another rule than the sweep's own")
    add("--known", metavar="URI", help="an earlier sweep's folder: optuna begins with what it found")
    add("--num-workers", type=count, default=1, help="data-parallel workers of a trial (default 1)")
    add("--cpus-per-worker", type=whole, default=0, help="default: share out the processors of the cluster")
    add("--device", choices=DEVICES, default="auto", help="auto: a GPU each where the cluster has any, else processors")
    add(
        "--max-failures",
        type=whole,
        default=3,
        help="failures in a row that a trial recovers from, and trials that may crash one after another (default 3)",
    )
    add("--dry-run", action="store_true", help="print what would be run as JSON, and stop")
    keys = add_config_flags(parser, is_speed_up)
    arguments = parser.parse_args(argv)
    arguments.speed_ups = config_changes(arguments, keys)
    return arguments


def names() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(sweeps.__path__)]


def named_sweep(name: str, changed: dict[str, Any]) -> "Sweep":
    """The SWEEP of that file in sweeps/."""
    return dataclasses.replace(importlib.import_module(f"sweeps.{name}").SWEEP, **changed)


def changes(arguments: argparse.Namespace) -> dict[str, Any]:
    asked = {"num_trials": arguments.num_trials, "search": arguments.search, "stopping": arguments.stopping}
    return {key: value for key, value in asked.items() if value is not None}


def objectives(table: dict[str, Any], trial: dict[str, Any]) -> str:
    values = trial["rungs"][-1]["values"]
    return ", ".join(f"{each['name']} {number(values.get(each['name']))}" for each in table["sweep"]["objectives"])


if __name__ == "__main__":
    run_job(main)
