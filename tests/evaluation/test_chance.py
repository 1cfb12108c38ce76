"""The interval of a gap: where it must lie, how wide it must be, and what it does not know."""

import numpy as np
import pytest

from argan.evaluation.chance import gap_intervals
from argan.evaluation.measures import RANK_MEASURES
from argan.evaluation.scores import MEASURES, Scores


def columns(values: np.ndarray) -> Scores:
    """The same in each measure."""
    return np.repeat(values[:, None], len(MEASURES), axis=1)


def photos(num: int, seed: int = 0) -> tuple[Scores, Scores, dict[str, Scores]]:
    """Net, ceiling and two guesses on photos that are easy or hard for all: half of the gap is closed."""
    rng = np.random.default_rng(seed)
    ease, noise = rng.normal(0, 0.1, num), rng.normal(0, 0.05, (4, num))
    net, ceiling, one, other = (columns(level + ease + n) for level, n in zip((0.7, 0.8, 0.6, 0.5), noise, strict=True))
    return net, ceiling, {"one": one, "other": other}


def test_no_draw_is_no_chance() -> None:
    """Where every photo says the same the two ends are the gap."""
    net, ceiling, guess = (columns(np.full(50, level)) for level in (0.7, 0.8, 0.6))
    found = gap_intervals(net, ceiling, {"a guess": guess}, seed=0)
    assert set(found) == set(RANK_MEASURES)
    assert found["spearman"] == pytest.approx([0.5, 0.5])


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(100):
        low, high = gap_intervals(*photos(200, seed), seed=seed)["foreground_auc"]
        held += low <= 0.5 <= high
    assert 88 <= held <= 100


def test_four_times_the_photos_are_half_the_width() -> None:
    few, many = (np.diff(gap_intervals(*photos(num), seed=1)["spearman"])[0] for num in (300, 1200))
    assert many == pytest.approx(few / 2, rel=0.25)


def test_all_are_judged_by_the_same_photos_of_a_draw() -> None:
    """What is easy or hard for all moves no gap, however much: only the noise of each does."""
    net, ceiling, guesses = photos(400)
    hard = columns(np.random.default_rng(9).normal(0, 5, 400))
    moved = {name: guess + hard for name, guess in guesses.items()}
    plain = gap_intervals(net, ceiling, guesses, seed=2)["ordinal_accuracy"]
    assert gap_intervals(net + hard, ceiling + hard, moved, seed=2)["ordinal_accuracy"] == pytest.approx(plain)


def test_photos_without_an_answer_are_left_out() -> None:
    net, ceiling, guesses = photos(100)
    padded = [
        np.concatenate([each, np.full((20, len(MEASURES)), np.nan)]) for each in (net, ceiling, *guesses.values())
    ]
    with_more = gap_intervals(padded[0], padded[1], dict(zip(guesses, padded[2:], strict=True)), seed=3)["spearman"]
    assert with_more == pytest.approx(gap_intervals(net, ceiling, guesses, seed=3)["spearman"], abs=0.04)


def test_a_ceiling_that_may_be_no_higher_gives_no_interval() -> None:
    net, _, guesses = photos(50)
    assert np.isnan(gap_intervals(net, guesses["one"], guesses, seed=0)["spearman"]).all()
    nothing = np.full_like(net, np.nan)
    assert np.isnan(gap_intervals(nothing, nothing, {"one": nothing}, seed=0)["spearman"]).all()


def test_each_measure_has_its_own_gap_over_the_best_guess() -> None:
    """Whatever the guesses' order, and with other gaps in other measures."""
    rng = np.random.default_rng(0)
    gaps = 0.1 * np.arange(len(MEASURES))

    def column(level: np.ndarray | float) -> Scores:
        return level + 0.02 * rng.normal(size=(300, len(MEASURES)))

    weak, best, net, ceiling = column(0.2), column(0.5), column(0.5 + gaps), column(1.5)
    found = gap_intervals(net, ceiling, {"weak": weak, "best": best}, seed=0)
    for measure in RANK_MEASURES:
        low, high = found[measure]
        assert low < high < low + 0.02
        assert (low + high) / 2 == pytest.approx(gaps[MEASURES.index(measure)], abs=0.01)


def test_it_is_two_standard_errors_to_each_side() -> None:
    net = columns(np.random.default_rng(0).normal(0.5, 0.1, 400))
    low, high = gap_intervals(net, columns(np.ones(400)), {"nought": columns(np.zeros(400))}, seed=0)["spearman"]
    assert high - low == pytest.approx(2 * 1.96 * net[:, 0].std() / 20, rel=0.08)
