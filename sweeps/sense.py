"""Does occlusion tell near from far without any prior? METHOD's open question, with five seeds each way.

    python jobs/sweep.py sense --data build/scenes32 --out build/sweeps

A search only in name. Without occlusion R(I, D) = R(I, -D), so without prior, contrast loss and front stop a run may
come out either way round by chance, and only how many of several do says anything. In the two runs there were, the
contrast of disparity had its final sign at 80,000 images or soon after, though there was little depth yet: looked at
are the share of inverted photos and ordinal accuracy. In bf16, the faster one on processors that have it.
"""

from typing import Any

from argan.search.space import Choice
from argan.search.sweep import JudgingSize, Objective, Sweep
from sweeps.recipe import VARIANTS as TRIED

VARIANTS: dict[str, dict[str, Any]] = {name: TRIED[name] for name in ("occlusion for a prior", "neither")}

SWEEP = Sweep(
    name="sense",
    preset="small-32",
    space={"variant": Choice(values=tuple(VARIANTS)), "seed": Choice(values=(0, 1, 2, 3, 4))},
    variants=VARIANTS,
    fixed={"compute.precision": "bf16"},
    objectives=(
        Objective(name="inverted", goal="min", reference=1.0),
        Objective(name="ordinal_accuracy", goal="max", reference=0.0),
    ),
    rungs_images=(80_000,),
    num_trials=5 * len(VARIANTS),
    search="grid",
    stopping="none",
    judging=JudgingSize(num_photos=1000, kid_photos=500, estimator_images=16_000, estimator_pairs=4_000),
)
