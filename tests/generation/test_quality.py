"""The measures by which samples are rejected: what each of them is on pictures made to fail it, and only it."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_set import KEEP_ALL

from argan.config import PriorConfig
from argan.generation.quality import KEPT, measure, reason
from argan.generation.recipe import Quality, Recipe, decode_terms, encode_terms
from argan.prior import focus_prior

SIDE, D_MAX = 32, 1.5
PRIOR = focus_prior(SIDE, D_MAX, PriorConfig())[0, 0].numpy()
RANDOM = np.random.default_rng(0)
DEEP = RANDOM.integers(40, 200, (SIDE, SIDE, 3), np.uint8)
SUBJECT = np.where(np.hypot(*np.mgrid[-16:16, -12:20]) < 9, 0.0, -D_MAX).astype(np.float32)


def verdict(deep=DEEP, disparity=SUBJECT) -> str:
    return reason(measure(deep, disparity, PRIOR, D_MAX), Quality())


def test_a_subject_before_its_background_is_kept() -> None:
    assert verdict() == KEPT


def test_each_failure_has_its_name() -> None:
    smooth = np.full((SIDE, SIDE, 3), 128, np.uint8) + np.arange(SIDE, dtype=np.uint8)[None, :, None]
    saturated = np.where(RANDOM.random((SIDE, SIDE, 3)) < 0.5, 255, DEEP).astype(np.uint8)
    assert verdict(disparity=np.full((SIDE, SIDE), -1.0, np.float32)) == "flat"
    assert verdict(disparity=-D_MAX - SUBJECT) == "inverted"
    assert verdict(disparity=PRIOR) == "prior-only"
    assert verdict(disparity=0.8 * PRIOR - 0.1) == "prior-only"  # however scaled and moved
    assert verdict(deep=smooth) == "blurred"
    assert verdict(deep=saturated) == "saturated"


def test_blur_lowers_sharpness() -> None:
    levels = [DEEP]
    for _ in range(3):
        padded = np.pad(levels[-1].astype(float), ((1, 1), (1, 1), (0, 0)), mode="edge")
        levels.append(sum(padded[i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3)).round() / 9)
    sharpness = [measure(level.astype(np.uint8), SUBJECT, PRIOR, D_MAX).sharpness for level in levels]
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[-1] < sharpness[0] / 4


def test_contrast_is_1_for_the_prior_0_for_a_constant_and_linear() -> None:
    def contrast(disparity):
        return measure(DEEP, disparity.astype(np.float32), PRIOR, D_MAX).contrast

    assert contrast(PRIOR) == pytest.approx(1)
    assert contrast(PRIOR * 0 - 1) == pytest.approx(0, abs=1e-9)
    assert contrast(0.5 * PRIOR + 0.25 * SUBJECT) == pytest.approx(0.5 + 0.25 * contrast(SUBJECT), rel=1e-6)


def test_limits_that_are_off_reject_nothing() -> None:
    worst = measure(np.zeros((SIDE, SIDE, 3), np.uint8), -PRIOR, PRIOR, D_MAX)
    assert reason(worst, KEEP_ALL) == KEPT


@given(
    st.builds(
        Recipe,
        num_samples=st.integers(1, 10**9),
        seed=st.integers(0, 2**32 - 1),
        apertures=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=4).map(tuple),
        random_apertures=st.integers(0, 3),
        focus_px=st.floats(-3, 3),
        shape=st.sampled_from(["disk", "square"]),
        truncation=st.floats(0, 5),
        shard_samples=st.integers(1, 1000),
    )
)
def test_terms_come_back_from_their_bytes(recipe: Recipe) -> None:
    from small_set import terms_of

    terms = terms_of(recipe)
    assert decode_terms(encode_terms(terms)) == terms
    assert decode_terms(encode_terms(terms)).sha256 == terms.sha256
    last = recipe.indices(recipe.num_shards - 1)
    assert last.stop == recipe.num_samples
    assert len(last) > 0


@pytest.mark.parametrize(
    ("key", "value"),
    [("num_samples", 0), ("random_apertures", -1), ("apertures", (0.0,)), ("apertures", (1.5,)), ("focus_px", math.nan),
     ("truncation", -1.0), ("truncation", math.inf), ("shard_samples", 0), ("seed", -1)],
)  # fmt: skip
def test_values_out_of_range_are_named(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        dataclasses.replace(Recipe(num_samples=1), **{key: value})
