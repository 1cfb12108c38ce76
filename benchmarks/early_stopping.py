"""What giving trials up early costs and saves, on a sweep whose trials were all run in full.

    python jobs/sweep.py aperture_prior --stopping none --data DATA --out OUT
    python benchmarks/early_stopping.py OUT/aperture_prior-HASH/table.json

The table's trials are drawn again with replacement and in random order, 200 times, and each rule is replayed on their
recorded curves. The reference point is that of the sweep's definition. One JSON object on the last line; for each rule

    hypervolume_share   median over the resamples, of the hypervolume of all trials run in full
    images_share        median, of the images of all trials run in full
    reaches             share of the resamples that keep 95 % of the hypervolume at 50 % of the images or fewer
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from judged_sweep import read_table

from argan.errors import UserError
from argan.search.replay import resample
from argan.search.sweep import Stopping
from jobs.runtime.cli import run_job
from jobs.runtime.flags import count

RULES: tuple[Stopping, ...] = ("asha", "dominated")
KEPT, SPENT = 0.95, 0.5


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="table.json of a sweep with --stopping none")
    parser.add_argument("--resamples", type=count, default=200)
    parser.add_argument("--keep-share", type=float, help="another share than the sweep's own")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    table = read_table(arguments.table)
    sweep = table["sweep"]
    if odd := [trial["number"] for trial in table["trials"] if trial["status"] != "finished"]:
        raise UserError(f"the trials {odd} were not run in full: what is left of a sweep that stops some is a choice")
    keep_share = sweep["keep_share"] if arguments.keep_share is None else arguments.keep_share
    signs = [1 if objective["goal"] == "min" else -1 for objective in sweep["objectives"]]
    curves = [costs(trial, sweep, signs) for trial in table["trials"]]
    reference = [sign * value for sign, value in zip(signs, sweep["reference"], strict=True)]
    result: dict[str, Any] = {"trials": len(curves), "resamples": arguments.resamples, "keep_share": keep_share}
    for rule in RULES:
        replays = resample(
            curves,
            sweep["rungs_images"],
            reference,
            rule,
            keep_share,
            num_resamples=arguments.resamples,
            seed=arguments.seed,
        )
        reached = [each.hypervolume_share >= KEPT and each.images_share <= SPENT for each in replays]
        result[rule] = {
            "hypervolume_share": round(statistics.median(each.hypervolume_share for each in replays), 3),
            "images_share": round(statistics.median(each.images_share for each in replays), 3),
            "reaches": round(sum(reached) / len(reached), 3),
        }
    print(json.dumps(result))
    return 0


def costs(trial: dict[str, Any], sweep: dict[str, Any], signs: list[int]) -> list[list[float]]:
    """[rung][objective], to be made small."""
    names = [objective["name"] for objective in sweep["objectives"]]
    values = [[rung["values"].get(name) for name in names] for rung in trial["rungs"]]
    infinite = float("inf")
    return [[infinite if v is None else sign * v for v, sign in zip(row, signs, strict=True)] for row in values]


if __name__ == "__main__":
    run_job(main)
