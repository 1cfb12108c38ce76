"""The rules that give trials up."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argan.search.pareto import front
from argan.search.stopping import goes_on

NUMBERS = st.floats(-5, 5)
POINT = st.tuples(NUMBERS, NUMBERS)
POINTS = st.lists(POINT, max_size=12)
RULES = ("asha", "dominated")
Rule = Literal["asha", "dominated"]


@pytest.mark.parametrize("rule", ["none", *RULES])
@given(own=POINT, earlier=POINTS)
def test_with_a_share_of_one_nobody_is_given_up(rule: Rule, own: tuple, earlier: list) -> None:
    assert goes_on(rule, own, earlier, 1.0)


@pytest.mark.parametrize("rule", RULES)
@given(own=POINT)
def test_the_first_goes_on(rule: Rule, own: tuple) -> None:
    assert goes_on(rule, own, [], 0.1)


@given(own=POINT, earlier=POINTS, share=st.floats(0.05, 1))
def test_whom_nobody_beats_goes_on(own: tuple, earlier: list, share: float) -> None:
    if len(earlier) in front([*earlier, own]):
        assert goes_on("dominated", own, earlier, share)
    if all(own[0] <= other[0] for other in earlier):
        assert goes_on("asha", own, earlier, share)


@pytest.mark.parametrize("rule", RULES)
@given(own=POINT, gain=st.tuples(st.floats(0, 3), st.floats(0, 3)), earlier=POINTS, share=st.floats(0.05, 1))
def test_a_better_one_goes_on_where_a_worse_one_did(
    rule: Rule, own: tuple, gain: tuple, earlier: list, share: float
) -> None:
    better = (own[0] - gain[0], own[1] - gain[1])
    if goes_on(rule, own, earlier, share):
        assert goes_on(rule, better, earlier, share)


@pytest.mark.parametrize("rule", RULES)
@given(earlier=st.lists(POINT, min_size=1, max_size=12), share=st.floats(0.05, 0.5))
def test_one_that_everybody_beats_is_given_up(rule: Rule, earlier: list, share: float) -> None:
    assert not goes_on(rule, (9.0, 9.0), earlier, share)


@given(earlier=POINTS, own=POINT, share=st.floats(0.05, 1))
def test_asha_keeps_the_share(earlier: list, own: tuple, share: float) -> None:
    better = sum(other[0] < own[0] for other in earlier)
    kept = max(1, int(share * (len(earlier) + 1)))
    assert goes_on("asha", own, earlier, share) == (better < kept)


def test_the_order_of_those_before_does_not_matter() -> None:
    earlier = [(float(i % 5), float(i % 3)) for i in range(9)]
    for own in ((1.0, 1.0), (3.0, 0.5), (4.0, 2.0)):
        assert len({goes_on("dominated", own, earlier[k:] + earlier[:k], 0.3) for k in range(9)}) == 1


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5])
def test_dominated_keeps_the_share(share: float) -> None:
    """Of ten that arrive, each beaten by those before it in a chain, whatever its own place."""
    chain = [(float(place), float(place)) for place in range(9)]
    arriving = [(place - 0.5, place - 0.5) for place in range(10)]
    assert sum(goes_on("dominated", own, chain, share) for own in arriving) == int(share * 10)
