"""How sure it is that estimates are above guesses."""

import numpy as np
import pytest
from path_traced import difference

PHOTOS, CUES = 60, 8


@pytest.mark.parametrize("seed", range(5))
def test_above_the_best_cue_is_never_surer_than_above_any_one_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ours, cues = rng.normal(0.1, 1, PHOTOS), rng.normal(0, 1, (CUES, PHOTOS))
    best, each = difference(ours, cues), [difference(ours, cue[None]) for cue in cues]
    for end in ("mean", "low", "high"):
        assert best[end] <= min(one[end] for one in each)


def test_the_interval_is_that_of_a_mean() -> None:
    """Of one opponent: 1.96 standard errors to either side."""
    rng = np.random.default_rng(0)
    ours, opponent = rng.normal(0.5, 1, 400), rng.normal(0, 1, (1, 400))
    found, over = difference(ours, opponent), ours - opponent[0]
    half = 1.96 * over.std() / 20
    assert [found[end] for end in ("low", "mean", "high")] == pytest.approx(
        [over.mean() - half, over.mean(), over.mean() + half], abs=0.01
    )
