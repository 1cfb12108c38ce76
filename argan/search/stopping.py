"""Which trials are given up at a rung: pure rules over the costs of those that have reached it.

A trial is judged once, when it arrives, against those that came before it: nobody waits for anybody.
"""

import math
from collections.abc import Sequence

from argan.search.pareto import Costs, layers
from argan.search.sweep import Stopping


def goes_on(rule: Stopping, own: Costs, earlier: Sequence[Costs], keep_share: float) -> bool:
    """Whether a trial with these costs goes on after a rung, where the earlier ones arrived with those.

    asha: it is among the best `keep_share` in the first objective (Li et al., "A System for Massively Parallel
    Hyperparameter Tuning", MLSys 2020; asynchronous successive halving). dominated: fewer than `keep_share` of all,
    rounded down and at least one, lie on better fronts than its own, so a trial that nobody beats in both objectives
    always goes on.
    """
    if rule == "none":
        return True
    total = len(earlier) + 1
    if rule == "asha":
        better = sum(costs[0] < own[0] for costs in earlier)
        return better < max(1, math.floor(keep_share * total))
    number = layers([*earlier, own])
    better = sum(layer < number[-1] for layer in number[:-1])
    return better < max(1, math.floor(keep_share * total))
