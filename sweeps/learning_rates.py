"""Both nets' learning rates and R1: the knobs of the game between them. By image quality alone.

python jobs/sweep.py learning_rates --data build/scenes32 --out build/sweeps
"""

from argan.search.space import LogUniform
from argan.search.sweep import Objective, Sweep

SWEEP = Sweep(
    name="learning_rates",
    preset="small-32",
    space={
        "optimizer.generator_lr": LogUniform(low=1e-4, high=2e-3),
        "optimizer.discriminator_lr": LogUniform(low=1e-4, high=2e-3),
        "optimizer.r1_gamma": LogUniform(low=0.01, high=10.0),
    },
    objectives=(Objective(name="kid", goal="min", reference=200.0),),
    rungs_images=(8_000, 16_000, 40_000),
    num_trials=24,
    stopping="asha",
)
