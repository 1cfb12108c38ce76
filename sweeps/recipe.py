"""What might teach more depth, one change at a time: a screening.

    python jobs/sweep.py recipe --data build/scenes32 --out build/sweeps

A search only in name: every variant once, to half of the preset's length, the likeliest first. Differences that a seed
could make are no reason to choose; the best are trained in full, with more seeds. In bf16, the faster one on processors
that have it (docs/LOG.md, 2026-11-28): variants compare with each other, and with nothing else.
"""

from typing import Any

from argan.search.space import Choice
from argan.search.sweep import JudgingSize, Objective, Sweep

LIGHT = {"optics.linear_light": True}
WIDE = {**LIGHT, "optics.d_max_at_64_px": 5.4, "dof.distribution": "uniform"}
SEVEN = {**WIDE, "prior.weight": 1.7, "prior.fall_images": 40_000}
"""Trial 7 of docs/results/sweep.md, its prior falling later, and in about as large a part of its length."""
CLOSED = {"dof.distribution": "uniform_or_closed", "dof.shallow_share": 0.7}
NEAR = {"prior.reach": 0.2}

VARIANTS: dict[str, dict[str, Any]] = {
    "trial 7": SEVEN,
    "some apertures closed": {**SEVEN, **CLOSED},
    "prior reaches 0.2": {**SEVEN, **NEAR},
    "both": {**SEVEN, **CLOSED, **NEAR},
    "both, little prior left": {**SEVEN, **CLOSED, **NEAR, "prior.final_share": 0.05},
    "standard GAN": {"method": "gan"},
    "batches of 8": {**SEVEN, "data.batch_images": 8, "data.num_lanes": 8},
    "learning rates fall": {**SEVEN, "optimizer.lr_fall_images": 25_000},
    "wider nets": {
        **SEVEN,
        "generator.channels": (256, 192, 128, 64),
        "discriminator.channels": (48, 96, 192, 256),
    },
    "shifted photos": {**SEVEN, "augment.shift": 0.125},
    "both, further in front": {**SEVEN, **CLOSED, **NEAR, "optics.front_share": 0.5},
    "prior reaches 0.2, p(s) bernoulli": {**SEVEN, **NEAR, "dof.distribution": "bernoulli"},
    "occlusion": {**SEVEN, "optics.occlusion_steps": 8},
    "R1 gamma 0.03": {**SEVEN, "optimizer.r1_gamma": 0.03},
    "R1 gamma 0.3": {**SEVEN, "optimizer.r1_gamma": 0.3},
    "7 views a side": {**SEVEN, "optics.views_per_side": 7},
    "steps free on edges": {**SEVEN, "prior.variation_weight": 0.03, "prior.edge_freedom": 6.0},
    "occlusion for a prior": {
        **WIDE,
        "optics.occlusion_steps": 12,
        "optics.front_share": 1.0,
        "prior.weight": 0.0,
        "prior.contrast_weight": 0.0,
    },
    "depth expansion": {**SEVEN, "optics.expansion": True},
    "preset, light averaged": LIGHT,
    "preset, codes averaged": {"optics.linear_light": False},
}

SWEEP = Sweep(
    name="recipe",
    preset="small-32",
    space={"variant": Choice(values=tuple(VARIANTS)), "seed": Choice(values=(0,))},
    variants=VARIANTS,
    fixed={"compute.precision": "bf16"},
    objectives=(
        Objective(name="kid", goal="min", reference=200.0),
        Objective(name="gap_closed.ordinal_accuracy", goal="max", reference=-0.5),
    ),
    rungs_images=(100_000,),
    num_trials=len(VARIANTS),
    search="grid",
    stopping="none",
    judging=JudgingSize(num_photos=1000, estimator_images=48_000, estimator_pairs=8_000, optics=True),
)
