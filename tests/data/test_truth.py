"""The truth schema: round trips to half a step, the same bytes for the same truth, and a clear refusal of all else."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from argan.data.truth import TRUTH_MEMBERS, decode_truth, encode_truth
from argan.errors import DataError

SIDES = st.tuples(st.integers(1, 9), st.integers(1, 9))
VALUES = st.floats(-1e4, 1e4, width=32)


@st.composite
def truths(draw):
    shape = draw(SIDES)
    disparity = draw(arrays(np.float32, shape, elements=VALUES))
    mask = draw(arrays(np.bool_, shape))
    return disparity, mask, {"dof_scale": draw(st.floats(0, 1)), "optics": {"d_max_px": 3.0}, "index": 7}


@settings(max_examples=60, deadline=None)
@given(truths())
def test_round_trip_is_within_half_a_step(truth):
    disparity, mask, info = truth
    members = encode_truth(disparity, mask, info)
    back = decode_truth(members)
    step = json.loads(members["json"])["disparity_scale"]
    rounding = np.spacing(np.abs(disparity).max()) / 2  # of float32, in which disparity travels
    assert np.abs(back.disparity.astype(np.float64) - disparity).max() <= step / 2 * (1 + 1e-9) + rounding
    np.testing.assert_array_equal(back.mask, mask)
    assert back.dof_scale == info["dof_scale"]
    assert back.info == info
    assert encode_truth(disparity, mask, dict(reversed(info.items()))) == members


def test_step_is_the_range_over_65535():
    disparity = np.array([[-3.0, 0.0, 1.5]], np.float32)
    members = encode_truth(disparity, disparity == 0, {"dof_scale": 1.0})
    codes = np.asarray(Image.open(io.BytesIO(members["disparity.png"])))
    record = json.loads(members["json"])
    assert codes.dtype == np.uint16
    assert [codes[0, 0], codes[0, 2]] == [0, 65535]
    assert record["disparity_scale"] == pytest.approx(4.5 / 65535)
    assert record["disparity_offset"] == -3.0


def sample():
    disparity = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    return disparity, disparity > 0, {"dof_scale": 0.5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d, m, i: (d[0], m[0], i), "one shape"),
        (lambda d, m, i: (d, m[:2], i), "one shape"),
        (lambda d, m, i: (d, m.astype(np.uint8), i), "bool mask"),
        (lambda d, m, i: (np.where(d > 0, np.nan, d), m, i), "finite"),
        (lambda d, m, i: (d, m, {}), "dof_scale"),
        (lambda d, m, i: (d, m, {"dof_scale": 1.5}), "1.5"),
        (lambda d, m, i: (d, m, {**i, "disparity_scale": 2.0}), "disparity_scale"),
    ],
)
def test_encoding_refuses_what_the_schema_cannot_hold(change, message):
    with pytest.raises(DataError, match=message):
        encode_truth(*change(*sample()))


def png(array):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


def record(**changes):
    whole = {"schema": "argan-truth/1", "dof_scale": 0.5, "disparity_scale": 1e-4, "disparity_offset": 0.0, **changes}
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    ("member", "data", "message"),
    [
        ("json", b"{", "does not parse"),
        ("json", b"\xff\xfe", "does not parse"),
        ("json", b"[1]", "schema"),
        ("json", record(schema="argan-truth/9"), "argan-truth/9"),
        ("json", record(disparity_scale=0), "positive"),
        ("json", record(disparity_scale="1"), "finite number"),
        ("json", record(disparity_offset=float("nan")), "finite number"),
        ("json", record(dof_scale=True), "dof_scale"),
        ("disparity.png", b"no picture", "disparity.png is not a whole PNG"),
        ("disparity.png", png(np.zeros((3, 4), np.uint8)), "uint16"),
        ("disparity.png", png(np.zeros((4, 4), np.uint16)), "differ in size"),
        ("mask.png", png(np.zeros((3, 4, 3), np.uint8)), "one channel"),
        ("mask.png", png(np.full((3, 4), 7, np.uint8)), "0 or 255"),
    ],
)
def test_decoding_names_the_member_that_does_not_fit(member, data, message):
    members = {**encode_truth(*sample()), member: data}
    with pytest.raises(DataError, match=message):
        decode_truth(members)


@pytest.mark.parametrize("member", TRUTH_MEMBERS)
def test_decoding_names_what_is_missing(member):
    members = encode_truth(*sample())
    del members[member]
    with pytest.raises(DataError, match=f"missing: {member}"):
        decode_truth(members)


@pytest.mark.parametrize("member", ["disparity.png", "mask.png"])
def test_a_truncated_picture_is_refused(member):
    members = encode_truth(*sample())
    for kept in range(0, len(members[member]) - 32, 7):  # what follows are checksums and the empty IEND chunk
        with pytest.raises(DataError, match=member):
            decode_truth({**members, member: members[member][:kept]})
