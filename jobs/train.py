"""Train an AR-GAN on a packed set, data-parallel on Ray. The same command again resumes the run, or trains it longer.

On a laptop:    python jobs/train.py --preset small-32 --data build/scenes32 --out build/runs
On a cluster:   ray job submit --working-dir . -- python jobs/train.py --preset full-64 --num-workers 4 \\
                    --data s3://BUCKET/photos64 --out s3://BUCKET/runs

Any key of the configuration is a flag: --prior.weight 0.3 --optics.views_per_side 7. The defaults told are the
configuration's own; a preset may have others, and --dry-run prints what counts.
"""

import argparse
import dataclasses
import json
import os
import shlex
import sys
from typing import Any

from argan.config import Config
from argan.errors import UserError
from argan.presets import preset, presets
from argan.settings import as_typed, choices, override
from jobs.runtime.cli import run_job
from jobs.runtime.workers import DEVICES, Workers

FILLED_IN = ("preset", "data.fingerprint")  # keys of the configuration that are no flags


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    config = override(preset(arguments.preset), arguments.changes)
    fewest, most = worker_range(arguments.num_workers)
    if most > config.data.num_lanes:
        raise UserError(f"--num-workers {most} is more than data.num_lanes = {config.data.num_lanes}")

    from jobs.runtime.training import TrainingRequest, plan, train  # after the arguments: --help answers at once

    request = TrainingRequest(
        config=config,
        data_uri=arguments.data,
        out_uri=arguments.out,
        workers=Workers(
            minimum=fewest,
            maximum=most,
            cpus_each=arguments.cpus_per_worker,
            use_gpu=DEVICES[arguments.device],
        ),
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
    add("--num-workers", default="1", metavar="N|MIN:MAX", help="data-parallel workers (default 1)")
    add("--cpus-per-worker", type=int, default=0, help="default: share out the processors of the cluster")
    add("--device", choices=DEVICES, default="auto", help="auto takes a GPU where there is one")
    add("--minutes", type=float, default=float("inf"), help="stop at the first tick after so long; resumable")
    add("--max-failures", type=int, default=3, help="failures in a row to recover from, storage's too (default 3)")
    add("--dry-run", action="store_true", help="print what would be run as JSON, and stop")
    keys = add_config_flags(parser)
    arguments = parser.parse_args(argv)
    given = {key: getattr(arguments, key) for key in keys}
    arguments.changes = {key: value for key, value in given.items() if value is not None}
    return arguments


def add_config_flags(parser: argparse.ArgumentParser) -> list[str]:
    """A flag for every dotted key of the configuration, a group for every section; returns the keys."""
    keys = []
    config = Config()
    for top in dataclasses.fields(config):
        section = getattr(config, top.name)
        is_section = dataclasses.is_dataclass(section)
        owner, prefix = (section, f"{top.name}.") if is_section else (config, "")
        group = parser.add_argument_group(top.name) if is_section else parser
        for item in dataclasses.fields(owner) if is_section else (top,):
            key = prefix + item.name
            if key not in FILLED_IN:
                keys.append(key)
                group.add_argument(f"--{key}", dest=key, metavar="VALUE", help=option_help(owner, item))
    return keys


def option_help(owner: Any, item: dataclasses.Field[Any]) -> str:
    """What the key means, which words it may be, and its default."""
    values = " | ".join(choices(owner, item.name))
    default = as_typed(getattr(owner, item.name)) or '""'
    return f"{item.metadata['help']} ({values and f'one of {values}; '}default {default})"


def worker_range(text: str) -> tuple[int, int]:
    """N or MIN:MAX as (minimum, maximum)."""
    low, _, high = text.partition(":")
    try:
        minimum, maximum = int(low), int(high or low)
    except ValueError:
        minimum = maximum = 0
    if not 1 <= minimum <= maximum:
        raise UserError(f"--num-workers must be N or MIN:MAX with 1 <= MIN <= MAX, got {text!r}")
    return minimum, maximum


if __name__ == "__main__":
    run_job(main)
