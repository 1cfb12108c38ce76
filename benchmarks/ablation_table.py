"""The ablation's table in Markdown, from a sweep over variants and seeds that was run to its end.

    python jobs/sweep.py ablation --data build/scenes32 --out OUT
    python benchmarks/ablation_table.py OUT/ablation-HASH

A column each for what was trained, with mean and spread (largest less smallest) over training seeds, beside the
trivial maps, the best guess of all that need no learning (maps and cues, chosen for each measure with the truth in
hand), the mean of truth as one map for all photos, and the ceiling, which see the same photos in every trial. KID is
told once more as a multiple of the standard GAN's of the same seed. Blur is the renderer's doing: near 1 in every
column, with the views that people's photos take. One JSON object, of the same numbers seed by seed, on the last line.
"""

import argparse
import itertools
import json
import statistics
from pathlib import Path
from typing import Any

from argan.errors import UserError
from argan.evaluation.fixed import MEAN_OF_TRUTH
from argan.search.sweep import VARIANT
from jobs.runtime.cli import run_job

GAN = "standard GAN"
DEPTH_ROWS = {
    "foreground AUC": "foreground_auc",
    "ordinal accuracy": "ordinal_accuracy",
    "Spearman": "spearman",
    "disparity error, px": "disparity_error_px",
    "SIDE": "side",
    "inverted": "inverted",
}
ROWS = {
    **DEPTH_ROWS,
    **{f"{name}, smooth subjects": f"smooth_subjects.{key}" for name, key in DEPTH_ROWS.items()},
    "gap closed: foreground AUC": "gap_closed.foreground_auc",
    "gap closed: ordinal accuracy": "gap_closed.ordinal_accuracy",
    "gap closed: foreground AUC, smooth subjects": "smooth_subjects.gap_closed.foreground_auc",
    "gap closed: ordinal accuracy, smooth subjects": "smooth_subjects.gap_closed.ordinal_accuracy",
    "gap closed from the mean of truth on: ordinal accuracy": "gap_closed_past_fixed.ordinal_accuracy",
    "blur slope": "blur_slope",
    "blur R^2": "blur_r_squared",
    "blur slope with the training's views": "blur_slope_in_training",
    "KID": "kid",
    "precision": "precision",
    "recall": "recall",
}
PRIOR, FLAT, GUESS, CEILING = "prior map", "flat", "best guess", "ceiling"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="the sweep's folder")
    arguments = parser.parse_args(argv)
    found = results(arguments.sweep)
    columns: dict[str, dict[str, list[float]]] = {FLAT: {}, PRIOR: {}, GUESS: {}, MEAN_OF_TRUTH: {}}
    for variant, by_seed in found.items():
        columns[variant] = {name: values for name, key in ROWS.items() if (values := numbers(by_seed, key))}
        if GAN in found:
            pairs = [by_seed[seed]["kid"] / found[GAN][seed]["kid"] for seed in sorted(by_seed)]
            columns[variant]["KID over the standard GAN's"] = pairs
    columns[CEILING] = {}
    untrained(next(one for by_seed in found.values() for one in by_seed.values() if "trivial_all" in one), columns)
    rows = [*ROWS, *(["KID over the standard GAN's"] if GAN in found else [])]
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for row in rows:
        print(f"| {row} | " + " | ".join(cell(column.get(row, [])) for column in columns.values()) + " |")
    print(json.dumps(columns))
    return 0


def results(folder: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """[variant][seed]: the whole evaluation of each trial at its last rung.

    Raises UserError where there is no such sweep, a trial has not finished, or not every variant has every seed.
    """
    try:
        table = json.loads((folder / "table.json").read_text())
    except FileNotFoundError as error:
        raise UserError(f"{folder} holds no sweep's table.json") from error
    sweep = table["sweep"]
    if not sweep["variants"]:
        raise UserError(f"{folder} is a sweep without variants: there are no columns")
    last = sweep["rungs_images"][-1]
    found: dict[str, dict[int, dict[str, Any]]] = {}
    if odd := [f"{trial['number']} ({trial['error']})" for trial in table["trials"] if trial["status"] != "finished"]:
        raise UserError(f"these trials have not finished: {', '.join(odd)}")
    for trial in table["trials"]:
        judged = json.loads((folder / "judged" / f"{trial['run']}-{last}.json").read_text())
        found.setdefault(trial["changes"][VARIANT], {})[trial["changes"]["seed"]] = judged
    wanted = list(itertools.product(sweep["variants"], sweep["space"]["seed"]["values"]))
    if missing := [f"{variant} with seed {seed}" for variant, seed in wanted if seed not in found.get(variant, {})]:
        raise UserError(f"not tried yet: {', '.join(missing)}")
    return found


def numbers(by_seed: dict[int, dict[str, Any]], key: str) -> list[float]:
    """One a seed, in their order; none at all where one of them has no such number: a mean would be of other seeds."""
    values = [at(by_seed[seed], key) for seed in sorted(by_seed)]
    return values if None not in values else []


def at(result: dict[str, Any], key: str) -> Any:
    """The value under a dotted name, None where there is none."""
    value: Any = result
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def untrained(one: dict[str, Any], columns: dict[str, dict[str, list[float]]]) -> None:
    """Fills in the columns that are the same in every trial."""
    for part in ("", "smooth_subjects."):
        for name, key in DEPTH_ROWS.items():
            row = f"{name}, smooth subjects" if part else name
            where = {
                FLAT: f"{part}trivial_all.constant.{key}",
                PRIOR: f"{part}trivial_all.focus prior.{key}",
                GUESS: f"{part}trivial.{key}.value",
                MEAN_OF_TRUTH: f"{part}fixed.{MEAN_OF_TRUTH}.{key}",
                CEILING: f"{part}ceiling.{key}",
            }
            for column, dotted in where.items():
                if (value := at(one, dotted)) is not None:
                    columns[column][row] = [value]


def cell(values: list[float]) -> str:
    if not values:
        return ""
    mean = f"{statistics.mean(values):.3g}"
    return f"{mean} ({max(values) - min(values):.2g})" if len(values) > 1 else mean


if __name__ == "__main__":
    run_job(main)
