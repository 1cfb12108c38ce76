"""Charts: the same bytes for the same numbers, text that stays text, and no number that makes them fail."""

import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argan.viewing.charts import INK, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def paths_of(svg: str, colour: str) -> list[str]:
    """The `d` of each stroked, unfilled line in that colour that is not a marker."""
    return [
        path.get("d", "")
        for path in ET.fromstring(svg).iter(f"{SVG}path")
        if f"stroke: {colour}" in path.get("style", "")
    ]


def test_equal_numbers_give_equal_bytes_and_leave_matplotlib_as_it_was() -> None:
    before = dict(mpl.rcParams)
    charts = {line_chart("loss", "images seen", {"generator": ([0, 1, 2], [1.0, 2.0, 3.0])}) for _ in range(2)}
    assert len(charts) == 1
    assert dict(mpl.rcParams) == before


def test_words_stay_words_and_colours_follow_the_page() -> None:
    svg = line_chart("a title", "images seen", {"real": ([0, 1], [1, 2]), "fake": ([0, 1], [2, 1])}, y_label="px")
    assert {"a title", "images seen", "real", "fake", "px"} <= set(texts(svg))
    assert "currentColor" in svg
    assert INK not in svg
    assert "<metadata" not in svg
    assert not re.search(r"<svg[^>]* (width|height)=", svg)


def test_a_name_is_text_whatever_it_looks_like() -> None:
    svg = line_chart("<script>", "x & y", {"cost_$_x^$": ([0, 1], [1, 2])})
    assert {"<script>", "x & y", "cost_$_x^$"} <= set(texts(svg))
    assert "<script>" not in svg


def test_a_log_axis_has_plain_numbers() -> None:
    svg = line_chart("loss", "images seen", {"prior": ([0, 1, 2], [0.01, 0.1, 1.0])}, log=True)
    assert {"0.01", "0.1", "1"} <= set(texts(svg))
    assert "mathdefault" not in svg


def test_a_value_that_is_not_finite_breaks_the_line_and_is_marked() -> None:
    x, colour = [0.0, 1.0, 2.0, 3.0, 4.0], "#2f7fc1"
    whole = line_chart("loss", "x", {"r1": (x, [1.0, 2.0, 1.0, 2.0, 1.0])})
    broken = line_chart("loss", "x", {"r1": (x, [1.0, 2.0, float("nan"), 2.0, 1.0])})
    assert len(list(ET.fromstring(broken).iter(f"{SVG}use"))) == len(list(ET.fromstring(whole).iter(f"{SVG}use"))) + 1
    assert max(path.count("M") for path in paths_of(whole, colour)) == 1
    assert max(path.count("M") for path in paths_of(broken, colour)) == 2


def test_noise_on_a_positive_number_is_shown_against_zero() -> None:
    assert "0" in texts(line_chart("speed", "x", {"images": ([1, 2, 3], [150.0, 151.0, 150.0])}))


@settings(max_examples=8, deadline=None)
@given(
    y=st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), float("-inf")]), max_size=4),
    log=st.booleans(),
)
def test_no_history_is_too_odd(y: list[float], log: bool) -> None:
    ET.fromstring(line_chart("odd", "x", {"y": (list(np.arange(len(y))), y), "none": ([], [])}, log=log))


def test_x_and_y_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="'r1' has 2 x and 1 y"):
        line_chart("loss", "x", {"r1": ([0, 1], [1.0])})
