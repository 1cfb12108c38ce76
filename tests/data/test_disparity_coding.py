"""The 16-bit codes of disparity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argan.data.disparity_coding import LAST_CODE, DisparityCoding

NUMBERS = st.lists(st.floats(-10, 10), min_size=1, max_size=50)


@given(NUMBERS, st.floats(-8, 8), st.floats(0.1, 8))
def test_disparity_is_kept_to_half_a_step_and_cut_at_the_ends(disparity: list[float], low: float, span: float) -> None:
    coding = DisparityCoding.of_range(low, low + span)
    exact = np.array(disparity)
    kept = coding.decode(coding.encode(exact))
    assert np.abs(kept - exact.clip(low, low + span)).max() <= 0.5 * coding.scale + 1e-6


@given(st.floats(-8, 8), st.floats(0.1, 8))
def test_the_range_takes_all_codes_from_first_to_last(low: float, span: float) -> None:
    coding = DisparityCoding.of_range(low, low + span)
    assert coding.encode(np.array([low, low + span])).tolist() == [0, LAST_CODE]


def test_one_value_alone_is_kept_as_it_is() -> None:
    coding = DisparityCoding.of_range(1.25, 1.25)
    assert coding.scale > 0
    assert coding.decode(coding.encode(np.array([1.25]))).item() == pytest.approx(1.25)
