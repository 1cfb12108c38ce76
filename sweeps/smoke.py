"""Three short trials that show a sweep at work; they teach nothing. The demo runs it.

python jobs/sweep.py smoke --data build/scenes32 --out build/sweeps
"""

from argan.judging_size import JudgingSize
from argan.search.space import LogUniform, Uniform
from argan.search.sweep import Objective, Sweep

SWEEP = Sweep(
    name="smoke",
    preset="small-32",
    space={
        "optics.d_max_at_64_px": Uniform(low=1.0, high=6.0),
        "prior.weight": LogUniform(low=0.1, high=10.0),
    },
    fixed={"schedule.tick_images": 400},
    objectives=(
        Objective(name="kid", goal="min", reference=1000.0),
        Objective(name="gap_closed.ordinal_accuracy", goal="max", reference=-2.0),
    ),
    rungs_images=(800,),
    num_trials=3,
    search="random",
    judging=JudgingSize(num_photos=40, kid_photos=40, estimator_images=800, estimator_pairs=200),
)
