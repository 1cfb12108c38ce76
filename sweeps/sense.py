"""Does occlusion tell near from far without any prior? METHOD's open question, with three seeds each way.

    python jobs/sweep.py sense --data build/scenes32 --out build/sweeps

A search only in name. Without occlusion R(I, D) = R(I, -D), so without prior, contrast loss and front stop nothing but
chance says which way round a photo comes out. Both variants of a seed begin with the same weights, so the difference of
their shares of inverted photos, seed by seed, is what occlusion does. In the two runs of seed 0 (sweeps/recipe.py) all
of D first fell to -d_max, in both, and what came back into focus was nearer than the rest by that alone; these seeds
begin on other sides, and `disparity/mean_px` in the first 32,000 images of each history says on which. There the
contrast of disparity had its final sign from 92,000 images on. In fp32; the two runs of seed 0 were in bf16.
"""

from typing import Any

from argan.judging_size import JudgingSize
from argan.search.space import Choice
from argan.search.sweep import Objective, Sweep
from sweeps.recipe import VARIANTS as TRIED

VARIANTS: dict[str, dict[str, Any]] = {name: TRIED[name] for name in ("occlusion for a prior", "neither")}

SWEEP = Sweep(
    name="sense",
    preset="small-32",
    space={"seed": Choice(values=(1, 2, 3)), "variant": Choice(values=tuple(VARIANTS))},
    variants=VARIANTS,
    objectives=(
        Objective(name="inverted", goal="min", reference=1.0),
        Objective(name="ordinal_accuracy", goal="max", reference=0.0),
    ),
    rungs_images=(120_000,),
    num_trials=3 * len(VARIANTS),
    search="grid",
    stopping="none",
    judging=JudgingSize(num_photos=1000, kid_photos=500, estimator_images=16_000, estimator_pairs=4_000),
)
