"""A sample's members are the sample, and what does not fit is named."""

from collections.abc import Callable

import numpy as np
import pytest

from argan.data.disparity_coding import DisparityCoding
from argan.data.png import encode_png
from argan.data.tuples import decode_tuple, encode_tuple
from argan.errors import DataError

CODING = DisparityCoding.of_range(-3.0, 3.0)
Members = dict[str, bytes]


def members(side: int = 8) -> Members:
    rng = np.random.default_rng(side)
    photos = rng.integers(0, 256, (3, side, side, 3), np.uint8)
    codes = rng.integers(0, 65536, (side, side), np.uint16)
    return encode_tuple(photos[0], (photos[1], photos[2]), codes, CODING, {"index": 7, "apertures": [0.5, 1.0]})


def test_a_sample_comes_back_as_it_was() -> None:
    rng = np.random.default_rng(8)
    photos = rng.integers(0, 256, (3, 8, 8, 3), np.uint8)
    sample = decode_tuple(members())
    for ours, theirs in zip((sample.deep, *sample.shallow), photos, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert sample.coding == CODING
    assert sample.info["index"] == 7


def without(name: str) -> Callable[[Members], Members]:
    return lambda whole: {key: data for key, data in whole.items() if key != name}


def with_member(name: str, data: bytes) -> Callable[[Members], Members]:
    return lambda whole: {**whole, name: data}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("deep.png"), "deep.png"),
        (without("shallow-1.png"), "shallow-1.png"),
        (without("json"), "json"),
        (with_member("shallow-2.png", members()["deep.png"]), "shallow-2.png"),
        (with_member("json", b"[]"), "json"),
        (with_member("json", members()["json"].replace(b"argan-tuples/1", b"argan-tuples/9")), "argan-tuples/9"),
        (with_member("deep.png", members()["deep.png"][:-40]), "deep.png"),
        (with_member("disparity.png", encode_png(np.zeros((8, 8), np.uint8))), "disparity.png"),
        (with_member("shallow-0.png", members(16)["deep.png"]), "size"),
    ],
)
def test_what_does_not_fit_is_named(change: Callable[[Members], Members], words: str) -> None:
    with pytest.raises(DataError, match=words):
        decode_tuple(change(members()))
