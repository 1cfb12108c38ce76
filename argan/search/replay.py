"""What a stopping rule would have cost and found on trials that were all run in full: their recorded curves, replayed.

A replay needs no training, so it can be asked of many orders in which the same trials might have come.
"""

from collections.abc import Sequence
from itertools import count, islice
from typing import NamedTuple

import numpy as np

from argan.search.pareto import Costs, hypervolume
from argan.search.stopping import goes_on
from argan.search.sweep import Stopping


class Replay(NamedTuple):
    """Of the trials run in full: the share of their hypervolume that is left, and of their images that is spent."""

    hypervolume_share: float
    images_share: float


def replay(
    curves: Sequence[Sequence[Costs]],
    rungs_images: Sequence[int],
    reference: Costs,
    rule: Stopping,
    keep_share: float,
) -> Replay:
    """Runs the trials one after another, in the order given. curves [trial][rung] holds costs.

    Only trials that reach the last rung count for the hypervolume, as in a real sweep. Raises ValueError where the
    trials together cover nothing: then there is nothing to keep a share of.
    """
    arrived: list[list[Costs]] = [[] for _ in rungs_images]
    whole: list[Costs] = []
    spent = 0
    for curve in curves:
        for rung, costs in enumerate(curve):
            spent = spent + rungs_images[rung] - (rungs_images[rung - 1] if rung else 0)
            keeps = goes_on(rule, costs, arrived[rung], keep_share)
            arrived[rung].append(costs)
            if rung == len(rungs_images) - 1:
                whole.append(costs)
            elif not keeps:
                break
    full = hypervolume([curve[-1] for curve in curves], reference)
    if full <= 0:
        raise ValueError(f"the trials cover nothing below {tuple(reference)}")
    return Replay(hypervolume(whole, reference) / full, spent / (len(curves) * rungs_images[-1]))


def resample(
    curves: Sequence[Sequence[Costs]],
    rungs_images: Sequence[int],
    reference: Costs,
    rule: Stopping,
    keep_share: float,
    *,
    num_resamples: int,
    seed: int,
) -> list[Replay]:
    """As many trials again, drawn with replacement and in random order, so many times; of draws that cover something,
    as has what is replayed. Raises ValueError as `replay` does.
    """
    covers = [bool(hypervolume([curve[-1]], reference)) for curve in curves]
    if not any(covers):
        raise ValueError(f"the trials cover nothing below {tuple(reference)}")
    draws = (np.random.default_rng([seed, number]).integers(len(curves), size=len(curves)) for number in count())
    drawn = ([curves[index] for index in draw] for draw in draws if any(covers[index] for index in draw))
    return [replay(each, rungs_images, reference, rule, keep_share) for each in islice(drawn, num_resamples)]
