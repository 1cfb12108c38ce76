"""Dominance, fronts and hypervolume, against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argan.search.pareto import dominates, front, hypervolume, layers

NUMBERS = st.integers(-5, 5).map(float)
PLANE = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12)


@given(PLANE)
def test_the_front_is_what_nobody_dominates(points: list[tuple[float, float]]) -> None:
    on_front = front(points)
    for index, point in enumerate(points):
        beaten = any(x <= point[0] and y <= point[1] and (x, y) != point for x, y in points)
        assert (index in on_front) != beaten


@given(PLANE)
def test_every_layer_is_the_front_of_what_the_ones_before_left(points: list[tuple[float, float]]) -> None:
    number = layers(points)
    assert sorted(set(number)) == list(range(len(set(number))))
    for layer in set(number):
        left = [point for point, n in zip(points, number, strict=True) if n >= layer]
        assert sorted(left[i] for i in front(left)) == sorted(
            point for point, n in zip(points, number, strict=True) if n == layer
        )


@given(PLANE, st.tuples(NUMBERS, NUMBERS))
def test_the_area_is_that_of_the_unit_cells_that_some_point_dominates(
    points: list[tuple[float, float]], reference: tuple[float, float]
) -> None:
    cells = sum(
        any(x <= i and y <= j for x, y in points)
        for i in range(-5, int(reference[0]))
        for j in range(-5, int(reference[1]))
    )
    assert hypervolume(points, reference) == cells


@given(PLANE, st.tuples(NUMBERS, NUMBERS))
def test_what_is_dominated_adds_nothing(points: list[tuple[float, float]], extra: tuple[float, float]) -> None:
    reference = (6.0, 6.0)
    grown = hypervolume([*points, extra], reference) - hypervolume(points, reference)
    covered = any(dominates(point, extra) or point == extra for point in points)
    assert (grown == 0) == covered


def test_one_objective_is_a_length() -> None:
    assert hypervolume([(3.0,), (1.0,), (9.0,)], (4.0,)) == 3.0
    assert hypervolume([], (4.0,)) == 0.0


def test_what_could_not_be_measured_covers_nothing() -> None:
    assert hypervolume([(np.inf, 0.0), (1.0, np.inf)], (4.0, 4.0)) == 0.0


def test_three_objectives_are_refused() -> None:
    with pytest.raises(ValueError, match="got 3"):
        hypervolume([], (1.0, 1.0, 1.0))
