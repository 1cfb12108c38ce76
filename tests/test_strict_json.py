"""What we write as JSON, any reader takes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argan import strict_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@given(VALUES)
def test_no_reader_meets_a_constant_that_json_does_not_know(value):
    json.loads(strict_json.dumps(value), parse_constant=refuse)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_number_that_broke_becomes_null_wherever_it_stands(broken):
    assert (
        strict_json.dumps({"a": {"b": [broken, (1.5, broken)]}, "c": 2}) == '{"a": {"b": [null, [1.5, null]]}, "c": 2}'
    )
