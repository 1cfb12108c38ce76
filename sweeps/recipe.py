"""What might teach more depth, one change at a time, from the beginning: a screening.

    python jobs/sweep.py recipe --data build/scenes32 --out build/sweeps

A search only in name: every variant once, in full, with one seed: half of the length, with a prior that falls twice as
fast, did not tell (docs/LOG.md, 2026-11-28). Here stands what changes the nets or how a run begins; smaller changes are
told apart sooner by going on from a run (benchmarks/go_on.py). Differences that a seed could make are no reason to
choose; the best are trained again, with more seeds. In bf16, the faster one on processors that have it: variants
compare with each other, and with nothing else.
"""

from typing import Any

from argan.judging_size import CLOSE_LOOK
from argan.search.space import Choice
from argan.search.sweep import KID_AND_DEPTH, Sweep

NO_SENSE = {"optics.front_share": 1.0, "prior.weight": 0.0, "prior.contrast_weight": 0.0}
"""Nothing knows front from behind: D may reach as far to the front, and no loss prefers either."""

VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "wider nets": {
        "generator.channels": (256, 192, 128, 64),
        "discriminator.channels": (48, 96, 192, 256),
    },
    "occlusion for a prior": {**NO_SENSE, "optics.occlusion_steps": 12},
    "neither": NO_SENSE,
    "occlusion and prior": {"optics.occlusion_steps": 12},
    "depth expansion": {"optics.expansion": True},
}

SWEEP = Sweep(
    name="recipe",
    preset="small-32",
    space={"variant": Choice(values=tuple(VARIANTS)), "seed": Choice(values=(0,))},
    variants=VARIANTS,
    fixed={"compute.precision": "bf16"},
    objectives=KID_AND_DEPTH,
    rungs_images=(200_000,),
    num_trials=len(VARIANTS),
    search="grid",
    stopping="none",
    judging=CLOSE_LOOK,
)
