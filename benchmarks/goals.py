"""Which of our own goals at 32 px (those listed below) a sweep over training seeds reaches, seed by seed.

    python benchmarks/goals.py OUT/five_seeds-HASH
    python benchmarks/goals.py OUT/ablation-HASH

Of a sweep with variants "ours" is asked, and whether it is above every other column (foreground AUC and ordinal
accuracy, all photos and smooth subjects), the mean of truth, which nobody without truth could guess, apart. "Not
inverted": fewer than half of the photos. Blur is that of photos as people get them. One JSON object, goal -> {"seeds":
values, "reached": bool}, on the last line.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ablation_table import CEILING, PARTS, RATIO, Columns, table
from judged_sweep import GAN, judged_sweep

from argan.errors import UserError
from argan.evaluation.fixed import MEAN_OF_TRUTH
from jobs.runtime.cli import run_job

OURS = "ours"
ABOVE = tuple(f"{row}{of}" for row in ("foreground AUC", "ordinal accuracy") for of in PARTS)


class Goal(NamedTuple):
    name: str
    values: list[float | None]
    reached: list[bool]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="the sweep's folder")
    sweep = judged_sweep(parser.parse_args(argv).sweep)
    if OURS not in sweep.by_variant and len(sweep.by_variant) > 1:
        raise UserError(f"none of the variants is {OURS!r}: {', '.join(sweep.by_variant)}")
    asked = OURS if OURS in sweep.by_variant else next(iter(sweep.by_variant))
    goals = list(goals_of(table(sweep.by_variant), asked))
    seeds = ", ".join(map(str, sweep.by_variant[asked]))
    print(f"| {asked}, {sweep.images:,} images, photos of seed {sweep.photos.get('seed')} | seeds {seeds} | |")
    print("|---|---|---|")
    for goal in goals:
        values = " ".join("-" if value is None else f"{value:.3g}" for value in goal.values)
        print(f"| {goal.name} | {values} | {sum(goal.reached)} of {len(goal.reached)} |")
    print(json.dumps({goal.name: {"seeds": goal.values, "reached": all(goal.reached)} for goal in goals}))
    return 0


def goals_of(columns: Columns, asked: str) -> Iterator[Goal]:
    ours = columns[asked]

    def goal(name: str, row: str, low: float, high: float = float("inf")) -> Goal:
        return Goal(name, ours[row], [value is not None and low <= value <= high for value in ours[row]])

    for measure in ("foreground AUC", "ordinal accuracy"):
        yield goal(f"gap closed, {measure}, >= .6", f"gap closed: {measure}", 0.6)
    yield goal("inverted, < .5", "inverted", 0.0, 0.4999)
    for measure in ("foreground AUC", "ordinal accuracy"):
        yield goal(f"gap closed, {measure}, smooth subjects, >= .5", f"gap closed: {measure}, smooth subjects", 0.5)
    yield goal("blur slope, .9 to 1.1", "blur slope", 0.9, 1.1)
    yield goal("blur R^2, >= .9", "blur R^2", 0.9)
    if RATIO in ours:
        yield goal("KID over the standard GAN's, <= 1.25", RATIO, 0.0, 1.25)
    others = [name for name in columns if name not in (asked, CEILING, GAN, MEAN_OF_TRUTH)]
    yield above("lead over the best other column, > 0", columns, asked, others)
    yield above("lead over the mean of truth, > 0", columns, asked, [MEAN_OF_TRUTH])


def above(name: str, columns: Columns, asked: str, others: list[str]) -> Goal:
    """By how much, in the worst of the rows that count."""
    leads = []
    for seed in range(len(columns[asked][ABOVE[0]])):
        by_row = []
        for row in ABOVE:
            theirs = [values[seed if len(values) > 1 else 0] for values in (columns[other][row] for other in others)]
            by_row.append((columns[asked][row][seed] or 0.0) - max(value for value in theirs if value is not None))
        leads.append(min(by_row))
    return Goal(name, [*leads], [lead > 0 for lead in leads])


if __name__ == "__main__":
    run_job(main)
