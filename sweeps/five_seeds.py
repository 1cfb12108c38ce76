"""The preset's own recipe with five seeds: what a seed of training makes of it.

    python jobs/sweep.py five_seeds --data build/scenes32 --out build/sweeps

A search only in name: nothing is chosen, so it is judged on the scenes that figures are told of. Seed 0 is not among
them: recipes were screened with it. Training set, estimators' seed and ceiling are the same in all, so their share of
chance is not in the spread. It is judged at the ablation's length too: these judgements of seeds 1 to 3, copied into
the folder judged of sweeps/ablation.py before that begins, are its "ours" and spare it three trainings.
"""

from argan.judging_size import TELLING_LOOK
from argan.search.space import Choice
from argan.search.sweep import KID_AND_DEPTH, Sweep

SWEEP = Sweep(
    name="five_seeds",
    preset="small-32",
    space={"seed": Choice(values=(1, 2, 3, 4, 5))},
    objectives=KID_AND_DEPTH,
    rungs_images=(200_000, 300_000),
    num_trials=5,
    search="grid",
    stopping="none",
    judging=TELLING_LOOK,
)
