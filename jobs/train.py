"""Train an AR-GAN on a packed set, data-parallel on Ray. The same command again resumes the run, or trains it longer.

On a laptop:    python jobs/train.py --preset small-32 --data build/scenes32 --out build/runs
On a cluster:   ray job submit --working-dir . -- python jobs/train.py --preset full-64 --num-workers 4 \\
                    --device gpu --data s3://BUCKET/photos64 --out s3://BUCKET/runs

Any key of the configuration is a flag: --prior.weight 0.3 --optics.views_per_side 7. The defaults told are the
configuration's own; a preset may have others, and --dry-run prints what counts.
"""

import argparse
import json
import os
import shlex
import sys

from argan.presets import preset, presets
from argan.settings import override
from jobs.runtime.cli import run_job
from jobs.runtime.flags import add_config_flags, asked_workers, config_changes, some_time, whole, worker_range
from jobs.runtime.workers import DEVICES


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    config = override(preset(arguments.preset), arguments.changes)
    workers = asked_workers(arguments)

    from jobs.runtime.training import TrainingRequest, plan, train  # after the arguments: --help answers at once

    request = TrainingRequest(
        config=config,
        data_uri=arguments.data,
        out_uri=arguments.out,
        workers=workers,
        max_failures=arguments.max_failures,
        max_seconds=arguments.minutes * 60,
        command=shlex.join(["python", os.path.relpath(__file__), *(sys.argv[1:] if argv is None else argv)]),
    )
    if arguments.dry_run:
        print(json.dumps(plan(request), indent=2))
    else:
        train(request)
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The job's own arguments, and in `changes` the configuration keys that were given."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s --preset NAME --data URI --out URI [--OPTION VALUE ...] [--SECTION.KEY VALUE ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--preset", required=True, choices=presets(), help="where the configuration starts from")
    add("--data", required=True, metavar="URI", help="a set packed by jobs/pack.py")
    add("--out", required=True, metavar="URI", help="where runs live; the run becomes a folder in it")
    add("--num-workers", type=worker_range, default="1", metavar="N|MIN:MAX", help="data-parallel workers (default 1)")
    add("--cpus-per-worker", type=whole, default=0, help="default: share out the processors of the cluster")
    add("--device", choices=DEVICES, default="auto", help="auto: a GPU each where the cluster has any, else processors")
    add("--minutes", type=some_time, default=float("inf"), help="stop at the first tick after so long; resumable")
    add("--max-failures", type=whole, default=3, help="failures in a row to recover from, storage's too (default 3)")
    add("--dry-run", action="store_true", help="print what would be run as JSON, and stop")
    keys = add_config_flags(parser)
    arguments = parser.parse_args(argv)
    arguments.changes = config_changes(arguments, keys)
    return arguments


if __name__ == "__main__":
    run_job(main)
