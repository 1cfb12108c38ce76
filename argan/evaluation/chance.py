"""How much of a gap is the chance of which photos judge: a bootstrap over them.

Net, ceiling and guesses are judged by the same photos, so each draw takes the same ones for all, and the best guess is
chosen anew in it. What is not in the interval: other training seeds, other estimators, other photos than of this kind.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from argan.evaluation.measures import RANK_MEASURES
from argan.evaluation.scores import MEASURES, Scores

NUM_DRAWS = 1000
INTERVAL = (0.025, 0.975)


def gap_intervals(
    scores: Scores, ceiling: Scores, opponents: Mapping[str, Scores], *, seed: int
) -> dict[str, list[float]]:
    """Measure of ranks -> the two ends that hold 95 % of the draws' gaps; nan where in a draw the ceiling is no higher
    than the best opponent, or nothing is defined.
    """
    num_photos = len(scores)
    draws = np.random.default_rng(seed).multinomial(num_photos, np.full(num_photos, 1 / num_photos), size=NUM_DRAWS)
    found = {}
    for measure in RANK_MEASURES:
        column = MEASURES.index(measure)
        values = np.stack([each[:, column] for each in (scores, ceiling, *opponents.values())], axis=1)
        found[measure] = [float(end) for end in np.quantile(_gaps(values, draws), INTERVAL)]
    return found


def _gaps(values: NDArray[np.float64], draws: NDArray[np.int64]) -> NDArray[np.float64]:
    """[draws], of values [photos, net, ceiling and opponents], undefined in all of a photo's or in none."""
    defined = ~np.isnan(values).any(axis=1)
    counts = draws[:, defined]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = counts @ values[defined] / counts.sum(axis=1, keepdims=True)
        opponent = means[:, 2:].max(axis=1)
        return np.where(means[:, 1] > opponent, (means[:, 0] - opponent) / (means[:, 1] - opponent), np.nan)
