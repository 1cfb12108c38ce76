"""The screening's three best with three seeds: which differences are larger than a seed makes.

    python jobs/sweep.py finalists --data build/scenes32 --out build/sweeps

A search only in name, judged as sweeps/recipe.py judges: on scenes that choose. Seed 0 is the screening's own. In bf16,
the faster one on processors that have it.
"""

from dataclasses import replace
from typing import Any

from argan.search.space import Choice
from sweeps import recipe

VARIANTS: dict[str, dict[str, Any]] = {
    name: recipe.VARIANTS[name] for name in ("base", "wider nets", "occlusion and prior")
}

SWEEP = replace(
    recipe.SWEEP,
    name="finalists",
    space={"variant": Choice(values=tuple(VARIANTS)), "seed": Choice(values=(0, 1, 2))},
    variants=VARIANTS,
    num_trials=3 * len(VARIANTS),
)
