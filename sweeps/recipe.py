"""What might teach more depth, one change at a time: a screening.

    python jobs/sweep.py recipe --data build/scenes32 --out build/sweeps

A search only in name: every variant once, in full, the likeliest first: half of the length, with a prior that falls
twice as fast, did not tell (docs/LOG.md, 2026-11-28). Differences that a seed could make are no reason to choose; the
best are trained again, with more seeds. In bf16, the faster one on processors that have it (docs/LOG.md, 2026-11-28):
variants compare with each other, and with nothing else.
"""

from typing import Any

from argan.search.space import Choice
from argan.search.sweep import JudgingSize, Objective, Sweep

BASE = {"optics.linear_light": True}
NEAR = {**BASE, "prior.reach": 0.2}
WIDE = {**BASE, "optics.d_max_at_64_px": 5.4, "dof.distribution": "uniform"}
SHARE = {"dof.shallow_share": 0.67}
"""Of the scenes two in three are shallow. Who has other photos would have to guess, or let KID choose."""
CLOSED = {**BASE, **SHARE, "optics.d_max_at_64_px": 4.5, "dof.distribution": "uniform_or_closed"}

VARIANTS: dict[str, dict[str, Any]] = {
    "base": BASE,
    "half of the prior is left": {**BASE, "prior.final_share": 0.5},
    "two of three shallow": {**BASE, **SHARE},
    "two of three shallow, d_max 4": {**BASE, **SHARE, "optics.d_max_at_64_px": 4.0},
    "standard GAN": {"method": "gan"},
    "uniform or closed, d_max 4.5": CLOSED,
    "batches of 8": {**BASE, "data.batch_images": 8, "data.num_lanes": 8},
    "prior reaches 0.2, half is left": {**NEAR, "prior.final_share": 0.5},
    "d_max 4": {**BASE, "optics.d_max_at_64_px": 4.0},
    "learning rates fall": {**BASE, "optimizer.lr_fall_images": 50_000},
    "wider nets": {
        **BASE,
        "generator.channels": (256, 192, 128, 64),
        "discriminator.channels": (48, 96, 192, 256),
    },
    "further in front": {**BASE, "optics.front_share": 0.5},
    "shifted photos": {**BASE, "augment.shift": 0.125},
    "occlusion": {**BASE, "optics.occlusion_steps": 8},
    "R1 gamma 0.03": {**BASE, "optimizer.r1_gamma": 0.03},
    "R1 gamma 0.3": {**BASE, "optimizer.r1_gamma": 0.3},
    "7 views a side": {**BASE, "optics.views_per_side": 7},
    "steps free on edges": {**BASE, "prior.variation_weight": 0.03, "prior.edge_freedom": 6.0},
    "occlusion for a prior": {
        **WIDE,
        "optics.occlusion_steps": 12,
        "optics.front_share": 1.0,
        "prior.weight": 0.0,
        "prior.contrast_weight": 0.0,
    },
    "depth expansion": {**BASE, "optics.expansion": True},
    "codes averaged": {**BASE, "optics.linear_light": False},
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
    rungs_images=(200_000,),
    num_trials=len(VARIANTS),
    search="grid",
    stopping="none",
    judging=JudgingSize(num_photos=4000, kid_photos=1000, estimator_images=48_000, estimator_pairs=8_000, optics=True),
)
