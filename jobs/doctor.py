"""Is all there that a training needs? A minute, before GPU hours burn.

On a laptop:    python jobs/doctor.py --preset small-32 --data build/scenes32 --out build/runs
On a cluster:   ray job submit --working-dir . -- python jobs/doctor.py --preset full-64 --num-workers 4 \\
                    --device gpu --data s3://BUCKET/photos64 --out s3://BUCKET/runs

Takes those arguments of jobs/train.py that say what is trained, from what and with what, and prints a line for each
check: ok, warning or FAULT, what was found, and what to do about it. Exit code 1 where there is a FAULT. Without
--preset, what hangs on the configuration is left out. All that it writes to --out is gone when it ends.
"""

import argparse
import time
from pathlib import Path

from argan import strict_json
from argan.errors import UserError
from argan.presets import preset, presets
from argan.settings import override
from jobs.runtime.cli import run_job
from jobs.runtime.flags import add_config_flags, asked_workers, config_changes, some_time, whole, worker_range
from jobs.runtime.output_file import OutputFile
from jobs.runtime.workers import DEVICES

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> int:
    started_s = time.monotonic()
    arguments = parse(argv)
    if arguments.changes and not arguments.preset:
        raise UserError(f"--{next(iter(arguments.changes))} changes a preset: give --preset too")
    workers = asked_workers(arguments)
    json_file = OutputFile.at(arguments.json) if arguments.json else None
    if json_file:
        json_file.require_writable()

    from jobs.runtime.doctor.examination import Examination, examine, has_fault  # --help answers at once

    asked = Examination(
        data_uri=arguments.data,
        out_uri=arguments.out,
        config=override(preset(arguments.preset), arguments.changes) if arguments.preset else None,
        workers=workers,
        working_dir=arguments.working_dir,
        seconds=arguments.seconds,
    )
    findings = []
    for finding in examine(asked):
        print(finding.line(), flush=True)
        findings.append(finding)
    counts = {verdict: sum(each.verdict == verdict for each in findings) for verdict in ("FAULT", "warning", "ok")}
    overall = next(verdict for verdict, number in counts.items() if number)
    took_s = time.monotonic() - started_s
    print(f"{overall}: {', '.join(f'{verdict} {number}' for verdict, number in counts.items())} ({took_s:.0f} s)")
    if json_file:
        values = {"verdict": overall, "seconds": took_s, "findings": [each._asdict() for each in findings]}
        json_file.write(strict_json.dumps(values, indent=2) + "\n")
    return int(has_fault(findings))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """As jobs/train.py's; in `changes` the configuration keys that were given."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [--preset NAME] --data URI --out URI [--OPTION VALUE ...] [--SECTION.KEY VALUE ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", required=True, metavar="URI", help="a set packed by jobs/pack.py")
    add("--out", required=True, metavar="URI", help="where runs live")
    add("--preset", choices=presets(), help="what is to be trained")
    add("--num-workers", type=worker_range, default="1", metavar="N|MIN:MAX", help="data-parallel workers (default 1)")
    add("--cpus-per-worker", type=whole, default=0, help="default: share out the processors of the cluster")
    add("--device", choices=DEVICES, default="auto", help="gpu: a missing GPU is a fault")
    add("--working-dir", type=Path, default=ROOT, metavar="DIR", help="what `ray job submit` sends (default: this)")
    add("--seconds", type=some_time, default=90, help="for all checks; what takes longer is a fault (default 90)")
    add("--json", metavar="FILE", help="the findings for machines too, a local path or s3://")
    keys = add_config_flags(parser)
    arguments = parser.parse_args(argv)
    arguments.changes = config_changes(arguments, keys)
    return arguments


if __name__ == "__main__":
    run_job(main)
