"""The screening's three best with three seeds: which differences are larger than a seed makes.

    python jobs/sweep.py finalists --data build/scenes32 --out build/sweeps

A search only in name, judged as sweeps/recipe.py judges: on scenes that choose. Seed 0 is the screening's own. In bf16,
the faster one on processors that have it.
"""

from typing import Any

from argan.search.space import Choice
from argan.search.sweep import CLOSE_LOOK, Objective, Sweep
from sweeps.recipe import VARIANTS as TRIED

VARIANTS: dict[str, dict[str, Any]] = {name: TRIED[name] for name in ("base", "wider nets", "occlusion and prior")}

SWEEP = Sweep(
    name="finalists",
    preset="small-32",
    space={"variant": Choice(values=tuple(VARIANTS)), "seed": Choice(values=(0, 1, 2))},
    variants=VARIANTS,
    fixed={"compute.precision": "bf16"},
    objectives=(
        Objective(name="kid", goal="min", reference=200.0),
        Objective(name="gap_closed.ordinal_accuracy", goal="max", reference=-0.5),
    ),
    rungs_images=(200_000,),
    num_trials=3 * len(VARIANTS),
    search="grid",
    stopping="none",
    judging=CLOSE_LOOK,
)
