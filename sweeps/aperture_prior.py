"""Two knobs that were expected to decide whether depth comes out, aperture range and prior weight; and p(s).

    python jobs/sweep.py aperture_prior --data build/scenes32 --out build/sweeps

The expectation: too small a range and blur tells nothing; too large a one and the generator hides in it. A strong
prior gives its own disk for depth, a weak one lets depth turn inside out. What was found: docs/results/sweep.md.
"""

from argan.search.space import Choice, LogUniform, Uniform
from argan.search.sweep import KID_AND_DEPTH, Sweep

SWEEP = Sweep(
    name="aperture_prior",
    preset="small-32",
    space={
        "optics.d_max_at_64_px": Uniform(low=1.0, high=6.0),
        "prior.weight": LogUniform(low=0.1, high=10.0),
        "dof.distribution": Choice(values=("bernoulli", "uniform", "half_normal")),
    },
    fixed={
        # So early the prior would hardly have fallen, to .73: it falls over the first half of a trial instead.
        "prior.fall_images": 20_000,
        "schedule.tick_images": 4_000,
    },
    objectives=KID_AND_DEPTH,
    rungs_images=(8_000, 16_000, 40_000),
    num_trials=24,
)
