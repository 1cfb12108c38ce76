"""Guesses that need no learning: what an estimate must beat before it has learned anything.

A constant, the center focus prior, and every cheap cue at both polarities. For each measure the best over the set
counts, chosen with the truth in hand. Mixtures of cues would do better, and so does truth's own mean (fixed.py).
"""

from typing import NamedTuple

import numpy as np

from argan.config import PriorConfig
from argan.evaluation.cues import cue_maps
from argan.evaluation.measures import RankSettings, TruthSet, measure_ranks, negated
from argan.evaluation.scores import MEASURES, Scores, is_better, judge_maps, ranks_alone
from argan.prior import focus_prior


class Guess(NamedTuple):
    name: str
    value: float


def trivial_scores(truth: TruthSet, prior: PriorConfig, ranks: RankSettings) -> dict[str, Scores]:
    """guess -> scores. A constant and the prior say how much; cues are in units of their own, and have ranks alone."""
    resolution = truth.images.shape[-1]
    prior_map = focus_prior(resolution, 1.0, prior).numpy()
    prior_maps = np.broadcast_to(prior_map, truth.disparity.shape)
    scores = {
        "constant": judge_maps(
            -np.ones_like(truth.disparity), truth, ranks
        ).scores,  # all behind, by how much is fitted
        "focus prior": judge_maps(prior_maps, truth, ranks).scores,
    }
    cues = [cue_maps(image.transpose(1, 2, 0)) for image in truth.images]
    for name in cues[0]:
        up = measure_ranks([cue[name] for cue in cues], truth, ranks)
        scores |= {f"+{name}": ranks_alone(up), f"-{name}": ranks_alone(negated(up))}
    return scores


def best_guesses(guesses: dict[str, dict[str, float]]) -> dict[str, Guess]:
    """For each measure the best guess, the first of equals; a guess that has no such measure is none."""
    best = {}
    for measure in MEASURES:
        name = next(iter(guesses))
        for other in guesses:
            if is_better(measure, guesses[other][measure], guesses[name][measure]):
                name = other
        best[measure] = Guess(name, guesses[name][measure])
    return best
