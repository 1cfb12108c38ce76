"""The sweep page shows every trial whatever it holds, leads from each mark to its panel, takes no name for markup."""

import base64
import hashlib
import itertools
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from page_reading import read

from argan.viewing.axes import ChoiceAxis, NumberAxis, fitted_axis
from argan.viewing.drawing import Frame, stairs
from argan.viewing.pictures import png_bytes
from argan.viewing.sweep_front import worst_point
from argan.viewing.sweep_page import sweep_page
from argan.viewing.sweep_table import Objective

PNG = png_bytes(np.zeros((6, 9, 3), dtype=np.uint8))
EVIL = "\"></a><script>alert('x')</script>&amp;"
STATUSES = ("finished", "stopped", "running", "broke", "finished")
SPACE = {
    "optics.range": {"kind": "uniform", "low": 1.0, "high": 6.0},
    "prior.weight": {"kind": "log_uniform", "low": 0.05, "high": 5.0},
    "dof.kind": {"kind": "choice", "values": ["bernoulli", "half normal"]},
}
ODD = (None, math.nan, math.inf, -math.inf, 0.0, -1.0, 1e30, 1e-30)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5), st.floats(-50, 150) | st.just(math.nan), st.booleans())
def test_no_trial_of_the_front_lies_beyond_the_point_that_it_is_shaded_from(
    values: list[float], reference: float, low_is_good: bool
) -> None:
    objective = Objective("kid", "min" if low_is_good else "max", reference)
    axis = fitted_axis(values, goal=objective.goal, reference=reference)
    frame = Frame(axis, axis, (400.0, 400.0))
    front = [point for value in values if (point := frame.point(value, value))]
    worst = worst_point(frame, objective, objective, front)
    for point in front:
        assert worst[0] >= point[0] if low_is_good else worst[0] <= point[0]
        assert worst[1] <= point[1] if low_is_good else worst[1] >= point[1]
    if all(value < reference if low_is_good else value > reference for value in values) and axis.holds(reference):
        assert worst == frame.point(reference, reference)


def trial(index: int, **changed: Any) -> dict[str, Any]:
    status = STATUSES[index % len(STATUSES)]
    images = {"finished": (160, 400), "stopped": (160,), "running": (160,), "broke": ()}[status]
    values = {"kid": 30.0 - index, "gap": 0.1 * index}
    return {
        "number": index,
        "run": f"run-of-{index}",
        "run_uri": f"s3://bucket/run-{index}",
        "changes": {"optics.range": 1.5 + 0.25 * index, "prior.weight": 0.5, "dof.kind": "half normal"},
        "status": status,
        "error": "it broke" if status == "broke" else "",
        "rungs": [{"images": seen, "values": values, "seconds": 1.5 * seen} for seen in images],
        "command": f"python jobs/train.py --preset debug --seed {index}",
        **changed,
    }


def table(trials: list[dict[str, Any]], objectives: tuple[str, ...] = ("kid", "gap"), **changed: Any) -> dict[str, Any]:
    goals = {"kid": "min", "gap": "max"}
    sweep = {
        "name": "a search",
        "preset": "debug",
        "data": "s3://bucket/set",
        "space": SPACE,
        "objectives": [{"name": name, "goal": goals.get(name, "max")} for name in objectives],
        "reference": [50.0, -0.2][: len(objectives)],
        "rungs_images": [160, 400],
        "num_trials": 12,
        "search": "optuna",
        "stopping": "dominated",
        "seed": 0,
    }
    totals = {"front": [], "hypervolume": 12.5, "images_spent": 1280, "seconds_spent": 7200.0}
    return {"sweep": sweep, "trials": trials, **totals, **changed}


def panel(html: str, number: int) -> str:
    start = html.index(f'id="trial-{number}"')
    return html[start : html.index("</article>", start)]


def marks(html: str) -> list[tuple[str, int]]:
    """(classes, number of the trial) of each mark in the charts."""
    return [
        (classes, int(number)) for number, classes in re.findall(r'<a href="#trial-(\d+)" class="mark ([^"]*)"', html)
    ]


def test_every_trial_has_its_marks_its_panel_and_its_row() -> None:
    html = sweep_page(table([trial(i) for i in range(5)], front=[4]), {0: PNG, 4: PNG})
    for i in range(5):
        assert i in {number for _, number in marks(html)}
        assert f'<a href="#trial-{i}">{i}</a>' in html
        assert html.count(f'id="trial-{i}"') == 1
        said = read(f"<article {panel(html, i)}</article>").text
        for words in (f"run-of-{i}", f"s3://bucket/run-{i}", f"--seed {i}", f"optics.range {1.5 + 0.25 * i:g}"):
            assert words in said
    assert "it broke" in panel(html, 3)
    assert len(read(html).images) == 2


def test_every_mark_leads_to_a_panel_of_the_page() -> None:
    html = sweep_page(table([trial(i) for i in range(5)]), {})
    leads = {load for load in read(html).loads if load.startswith("#")}
    assert leads
    assert leads == {f"#{anchor}" for anchor in re.findall(r'<article[^>]* id="([^"]*)"', html)}


@pytest.mark.parametrize("front", [[], [1], [0, 4]])
def test_the_front_and_nothing_else_is_marked_as_such(front: list[int]) -> None:
    html = sweep_page(table([trial(i) for i in range(5)], front=front), {})
    assert {number for classes, number in marks(html) if "front" in classes.split()} == set(front)
    assert [i for i in range(5) if "on the front" in panel(html, i)] == front
    assert ('class="stairs"' in html) == bool(front)


def test_the_page_asks_the_network_for_nothing_and_runs_no_script_but_its_own() -> None:
    html = sweep_page(table([trial(i) for i in range(5)], front=[0]), {0: PNG})
    reading = read(html)
    assert all(load.startswith(("data:", "#")) for load in reading.loads), reading.loads
    assert not re.search(r"https?://|//[a-z]+\.[a-z]|\bimport\b|\bfetch\b|XMLHttpRequest", html)
    assert reading.tags.count("script") == 1
    assert not re.search(r"\son[a-z]+=", html)
    script = html[html.index("<script>") + len("<script>") : html.index("</script>")]
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{allowed}'\">" in html


def everything_called(name: str) -> str:
    """A page whose names, words and errors are all `name`."""
    changes = {name: name, "prior.weight": name}
    values = {name: 1.0, "gap": 2.0}
    rungs = [{"images": 160, "values": values, "seconds": 3.0}]
    said = {"run": name, "run_uri": name, "error": name, "command": name}
    found = table([trial(0, changes=changes, rungs=rungs, **said)], (name, "gap"), front=[0])
    space = {name: {"kind": name, "values": [name]}, "prior.weight": SPACE["prior.weight"]}
    found["sweep"] |= {"name": name, "preset": name, "data": name, "search": name, "stopping": name, "space": space}
    return sweep_page(found, {0: PNG})


def test_names_are_text_whatever_they_look_like() -> None:
    plain, evil = read(everything_called("plain")), read(everything_called(EVIL))
    assert evil.tags == plain.tags
    assert evil.loads == plain.loads
    assert "</a><script>" not in everything_called(EVIL)


@settings(max_examples=8, deadline=None)
@given(
    values=st.lists(st.tuples(st.sampled_from(ODD), st.sampled_from(ODD)), min_size=1, max_size=4),
    change=st.sampled_from((*ODD, "words", True, 3)),
    reference=st.sampled_from([None, [None, None], [math.nan, 1e30], [0.0, 0.0]]),
    front=st.lists(st.integers(0, 4)),
)
def test_no_number_is_too_odd(values: list[tuple[Any, Any]], change: Any, reference: Any, front: list[int]) -> None:
    trials = [
        trial(
            i,
            status=STATUSES[i],
            changes={"optics.range": change, "prior.weight": change, "dof.kind": change},
            rungs=[{"images": 160, "values": {"kid": kid, "gap": gap}, "seconds": kid}],
        )
        for i, (kid, gap) in enumerate(values)
    ]
    found = table(trials, front=front, hypervolume=values[0][0], images_spent=None, seconds_spent=values[0][1])
    found["sweep"]["reference"] = reference
    html = sweep_page(found, {})
    svgs = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert svgs
    assert not [svg for svg in svgs if re.search(r'="[^"]*\b(nan|inf|None)\b', re.sub(r"<title>.*?</title>", "", svg))]
    assert all(f'<a href="#trial-{i}">{i}</a>' in html for i in range(len(values)))
    read(html)


def test_values_that_are_not_there_yet_leave_the_rest_of_the_page_alone() -> None:
    rungs = [{"images": 160, "values": {"kid": 20.0}, "seconds": None}]
    html = sweep_page(table([trial(0), trial(2, rungs=rungs, changes={})], front=[0]), {})
    assert "160 20 - -" in read(f"<article {panel(html, 2)}</article>").text


def test_one_objective_is_shown_trial_after_trial() -> None:
    html = sweep_page(table([trial(i) for i in range(5)], ("kid",), front=[4], hypervolume=None), {})
    text = read(html).text
    assert "best kid 26 (trial 4)" in text
    assert "Trial after trial" in text
    assert "finished at 400 images, best" in panel(html, 4)
    assert "on the front" not in text
    assert "hypervolume" not in text
    assert 'class="stairs"' in html


def test_a_search_that_has_not_begun_has_a_page() -> None:
    empty = table([], hypervolume=None, images_spent=0, seconds_spent=0.0)
    text = read(sweep_page(empty, {})).text
    assert "0 of 12" in text
    assert "No trial has begun yet." in text
    assert "prior.weight log uniform 0.05 to 5" in text


def test_the_summary_counts_trials_and_what_stopping_spared() -> None:
    text = read(sweep_page(table([trial(i) for i in range(5)], front=[0, 4]), {})).text
    assert "4 of 12 (1 stopped, 1 broke, 1 running)" in text
    assert "best kid 26 (trial 4)" in text
    assert "best gap 0.4 (trial 4)" in text
    assert "spared 240 of the 2,000 images (12.0 %)" in text
    assert "about 6 min 00 s of training" in text


def test_equal_tables_give_equal_bytes() -> None:
    found = table([trial(i) for i in range(5)], front=[0])
    assert sweep_page(found, {0: PNG}) == sweep_page(found, {0: PNG})


@settings(max_examples=20, deadline=None)
@given(
    low=st.floats(1e-6, 1e6),
    factor=st.floats(1.001, 1e6),
    shares=st.lists(st.floats(-1, 2), min_size=2),
    log=st.booleans(),
)
@example(low=1e-6, factor=11.0, shares=[0.0, 0.0], log=True)  # 10 * 1e-6 is not 1e-5
def test_an_axis_keeps_the_order_and_stays_between_its_ends(
    low: float, factor: float, shares: list[float], log: bool
) -> None:
    axis = NumberAxis(low, low * factor, log=log)
    values = sorted(low * factor**share for share in shares)
    places = [axis.place(value) for value in values]
    assert all(place is not None and 0 <= place <= 1 for place in places)
    assert places == sorted(places, key=float)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 12
    assert all(0 <= place <= 1 for place, _ in ticks)
    assert len({words for _, words in ticks}) == len(ticks)


@pytest.mark.parametrize(("goal", "worst"), [("min", 300.0), ("max", -300.0)])
def test_a_failed_trial_does_not_press_the_others_into_a_corner(goal: str, worst: float) -> None:
    axis = fitted_axis([10.0, 20.0, worst], goal=goal, reference=50.0 if goal == "min" else -50.0)
    places = [axis.place(value) for value in (10.0, 20.0)]
    assert abs(places[0] - places[1]) > 0.1
    assert axis.place(worst) == (1.0 if goal == "min" else 0.0)
    assert not axis.holds(worst)


def test_choices_are_strewn_but_stay_apart() -> None:
    axis = ChoiceAxis(("a", "b", "c"))
    strewn = [[axis.strewn(choice, i) for i in range(40)] for choice in axis.choices]
    assert all(max(first) < min(second) for first, second in itertools.pairwise(strewn))
    assert len(set(strewn[0])) == 40
    assert axis.strewn("d", 0) is None


@pytest.mark.parametrize("num_choices", [2, 22])
def test_the_words_of_choices_do_not_lie_on_one_another(num_choices: int) -> None:
    choices = [f"the variant with the number {index:02d}" for index in range(num_choices)]
    found = table([trial(i, changes={"variant": choice}) for i, choice in enumerate(choices)], front=[0])
    found["sweep"]["space"] = {"variant": {"kind": "choice", "values": choices}}
    html = sweep_page(found, {})
    charts = re.findall(r"<svg.*?</svg>", html[html.index("One setting at a time") :], re.DOTALL)[:2]
    for chart in charts:
        words = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>the variant with', chart)
        assert len(words) == num_choices
        places = sorted((float(y), float(x)) for x, y in words)
        for (upper, left), (lower, right) in itertools.pairwise(places):
            assert lower - upper >= 16 or right - left >= 29 * 6


def test_stairs_go_level_then_upright() -> None:
    steps = stairs([(0.0, 0.0), (2.0, 1.0), (3.0, 5.0)])
    assert steps == [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (3.0, 1.0), (3.0, 5.0)]
    assert stairs([]) == []
