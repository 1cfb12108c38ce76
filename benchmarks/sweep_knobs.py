"""What a sweep's trials say of its knobs: medians along each one, and rank correlations, in Markdown.

    python benchmarks/sweep_knobs.py docs/results/sweep-table.json

Trials that were run in full, at their last rung. A knob with numbers is cut into as many parts of equal count as
--parts says. A search does not spread its trials evenly, so parts differ in more than their own knob. One JSON object
on the last line: rank correlations (Spearman) of every knob that is a number with every value, and of every value at
every earlier rung with itself at the last. A trial without a value, as a GAN without depth, has no say in it.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from judged_sweep import read_table
from numpy.typing import NDArray

from argan.errors import UserError
from argan.evaluation.ranks import spearman
from jobs.runtime.cli import run_job
from jobs.runtime.flags import count

Floats = NDArray[np.float64]
VALUES = ("kid", "gap_closed.ordinal_accuracy", "gap_closed.foreground_auc", "inverted")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="table.json of a sweep")
    parser.add_argument("--values", nargs="+", default=VALUES, help="numbers of the evaluation")
    parser.add_argument("--parts", type=count, default=3)
    arguments = parser.parse_args(argv)
    trials = [trial for trial in read_table(arguments.table)["trials"] if trial["status"] == "finished"]
    if len(trials) < arguments.parts:
        raise UserError(f"{len(trials)} finished trials make no {arguments.parts} parts")
    curves = {name: curve_of(trials, name) for name in arguments.values}
    knobs = {knob: [trial["changes"][knob] for trial in trials] for knob in trials[0]["changes"]}
    print("| | trials | " + " | ".join(curves) + " |\n|---|---|" + "---|" * len(curves))
    for knob, along in knobs.items():
        for label, rows in parts_along(along, arguments.parts):
            cells = (median(curve[rows, -1]) for curve in curves.values())
            print(f"| {knob} {label} | {len(rows)} | " + " | ".join(cells) + " |")
    numeric = {knob: np.array(along, float) for knob, along in knobs.items() if is_number(along[0])}
    rungs = range(len(trials[0]["rungs"]) - 1)
    result = {
        "knobs": {
            knob: {name: correlation(along, curve[:, -1]) for name, curve in curves.items()}
            for knob, along in numeric.items()
        },
        "rungs": {
            name: [correlation(curve[:, rung], curve[:, -1]) for rung in rungs] for name, curve in curves.items()
        },
    }
    print(json.dumps(result))
    return 0


def curve_of(trials: list[dict[str, Any]], name: str) -> Floats:
    """[trial, rung]; nan where there is no such value."""
    values = [[rung["values"].get(name) for rung in trial["rungs"]] for trial in trials]
    return np.array(values, dtype=float)


def median(values: Floats) -> str:
    known = values[~np.isnan(values)]
    return f"{np.median(known):.3g}" if len(known) else ""


def correlation(first: Floats, second: Floats) -> float | None:
    known = ~np.isnan(first) & ~np.isnan(second)
    found = spearman(first[known], second[known]) if known.sum() > 1 else math.nan
    return None if math.isnan(found) else round(found, 2)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def parts_along(values: list[Any], num_parts: int) -> list[tuple[str, list[int]]]:
    """(label, indices of the trials) of each part: of equal count along numbers, else one a choice."""
    if not is_number(values[0]):
        return [
            (str(choice), [i for i, value in enumerate(values) if value == choice]) for choice in dict.fromkeys(values)
        ]
    in_order = np.array_split(np.argsort(values, kind="stable"), num_parts)
    return [(f"{values[part[0]]:.3g} to {values[part[-1]]:.3g}", part.tolist()) for part in in_order]


if __name__ == "__main__":
    run_job(main)
