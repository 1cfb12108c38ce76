"""The ablation's table in Markdown, from a sweep over variants and seeds that was run to its end.

    python jobs/sweep.py ablation --data build/scenes32 --out OUT
    python benchmarks/ablation_table.py OUT/ablation-HASH

A column each for what was trained, with mean and spread (largest less smallest) over training seeds, beside the trivial
maps, the best cue, the mean of truth as one map for all photos, and the ceiling, which see the same photos in every
trial. The best cue is chosen for each row with the truth in hand, and so is the guess at which the gap is 0, the best
of maps and cues. KID is told once more as a multiple of the standard GAN's of the same seed. Blur is the renderer's
doing: near 1 in every column, with the views that people's photos take. A dash: there is no such number; what some
seeds lack is said. One JSON object, of the same numbers seed by seed, on the last line.
"""

import argparse
import statistics
from pathlib import Path

from judged_sweep import GAN, Judged, at, judged_sweep

from argan import strict_json
from argan.errors import UserError
from argan.evaluation.depth import gap_closed
from argan.evaluation.fixed import MEAN_OF_TRUTH
from argan.evaluation.scores import is_better
from jobs.runtime.cli import run_job

DEPTH_ROWS = {
    "foreground AUC": "foreground_auc",
    "ordinal accuracy": "ordinal_accuracy",
    "Spearman": "spearman",
    "disparity error, px": "disparity_error_px",
    "SIDE": "side",
    "inverted": "inverted",
}
GAP_ROWS = {
    "gap closed: foreground AUC": "foreground_auc",
    "gap closed: ordinal accuracy": "ordinal_accuracy",
}
PARTS = {"": "", ", smooth subjects": "smooth_subjects."}
TRAINED_ROWS = {
    "gap closed from the mean of truth on: ordinal accuracy": "gap_closed_past_fixed.ordinal_accuracy",
    "blur slope": "blur_slope",
    "blur R^2": "blur_r_squared",
    "blur regions": "blur_regions",
    "blur slope with the training's views": "blur_slope_in_training",
    "KID": "kid",
    "precision": "precision",
    "recall": "recall",
}
RATIO = "KID over the standard GAN's"
FLAT, PRIOR, CUE, CEILING = "flat", "prior map", "best cue", "ceiling"

Columns = dict[str, dict[str, list[float | None]]]
"""column -> row -> the values, one a seed, one in all where nothing was trained; None where there is no such number."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="the sweep's folder")
    sweep = judged_sweep(parser.parse_args(argv).sweep)
    columns = table(sweep.by_variant)
    print(
        f"| {sweep.images:,} images, photos of seed {sweep.photos.get('seed')} | "
        + " | ".join(columns)
        + " |\n|---|"
        + "---|" * len(columns)
    )
    for row in dict.fromkeys(row for column in columns.values() for row in column):
        print(f"| {row} | " + " | ".join(cell(column.get(row, [])) for column in columns.values()) + " |")
    print(strict_json.dumps(columns))
    return 0


def table(by_variant: dict[str, dict[int, Judged]]) -> Columns:
    """Raises UserError where nothing in it has depth."""
    with_depth = [one for by_seed in by_variant.values() for one in by_seed.values() if "trivial_all" in one]
    if not with_depth:
        raise UserError("no trial of this sweep has depth: there is nothing to tell")
    before, after = untrained(with_depth[0])
    trained = {variant: learned(by_seed) for variant, by_seed in by_variant.items()}
    if GAN in by_variant:
        for variant, by_seed in by_variant.items():
            trained[variant][RATIO] = [one["kid"] / by_variant[GAN][seed]["kid"] for seed, one in by_seed.items()]
    return {**before, **trained, **after}


def learned(by_seed: dict[int, Judged]) -> dict[str, list[float | None]]:
    rows = {
        f"{name}{of}": f"{part}{within}{key}"
        for of, part in PARTS.items()
        for within, names in (("", DEPTH_ROWS), ("gap_closed.", GAP_ROWS))
        for name, key in names.items()
    }
    return {name: [at(one, key) for one in by_seed.values()] for name, key in {**rows, **TRAINED_ROWS}.items()}


def untrained(one: Judged) -> tuple[Columns, Columns]:
    """The columns that are the same in every trial, those before the trained ones and those after."""
    before: Columns = {FLAT: {}, PRIOR: {}, CUE: {}, MEAN_OF_TRUTH: {}}
    after: Columns = {CEILING: {}}
    for of, part in PARTS.items():
        told = one[part.rstrip(".")] if part else one
        maps = {
            FLAT: told["trivial_all"]["constant"],
            PRIOR: told["trivial_all"]["focus prior"],
            MEAN_OF_TRUTH: told["fixed"][MEAN_OF_TRUTH],
            CEILING: told["ceiling"],
        }
        cues = [guess for name, guess in told["trivial_all"].items() if name[0] in "+-"]
        maps[CUE] = {key: best(key, [cue[key] for cue in cues if key in cue]) for key in DEPTH_ROWS.values()}
        for column, values in maps.items():
            rows = after if column == CEILING else before
            for name, key in DEPTH_ROWS.items():
                rows[column][f"{name}{of}"] = [values.get(key)]
            for name, key in GAP_ROWS.items():
                ends = {"ceiling": told["ceiling"][key], "trivial": told["trivial"][key]["value"]}
                rows[column][f"{name}{of}"] = [gap_closed(values[key], **ends)]
    return before, after


def best(measure: str, values: list[float]) -> float | None:
    """None of none: cues have no size."""
    if not values:
        return None
    return min(values) if measure == "inverted" or is_better(measure, 0.0, 1.0) else max(values)


def cell(values: list[float | None]) -> str:
    """Mean and spread, to the same place."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = statistics.mean(known)
    places = 3 if abs(mean) < 10 else 1 if abs(mean) < 1000 else 0
    text = rounded(mean, places) + (f" ({rounded(max(known) - min(known), places)})" if len(known) > 1 else "")
    return text if len(known) == len(values) else f"{text}, {len(known)} of {len(values)}"


def rounded(value: float, places: int) -> str:
    """.5 rather than 0.5, as the pages have it."""
    return f"{value:,.{places}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:,.{places}f}"


if __name__ == "__main__":
    run_job(main)
