"""Which weight of the prior the paper's objectives fare best with, held for the whole training: the ablation's column
of them is to be as good as it can.

    python jobs/sweep.py paper_weight --data build/scenes32 --out build/sweeps

A search only in name, with the screening's seed, length and scenes. In bf16, as that; the ablation,
in fp32, takes its weight from here.
"""

from dataclasses import replace

from argan.search.space import Choice
from sweeps import recipe
from sweeps.ablation import PAPER

SWEEP = replace(
    recipe.SWEEP,
    name="paper_weight",
    space={"prior.weight": Choice(values=(0.4, 0.7, 1.0, 1.7, 3.0))},
    variants={},
    fixed={**recipe.SWEEP.fixed, **{key: value for key, value in PAPER.items() if key != "prior.weight"}},
    num_trials=5,
)
