"""Damaged Parquet is a DataError, whatever Arrow makes of it."""

import io
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argan.data.parquet import columns_of
from argan.errors import DataError


@pytest.fixture(scope="module")
def parquet() -> bytes:
    out = io.BytesIO()
    rows = np.arange(3000)
    table = pa.table({"index": rows, "reason": [""] * 3000, "measure": np.sin(rows)})
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def test_columns_come_back(parquet: bytes) -> None:
    columns = columns_of(parquet, ["measure", "index"])
    assert list(columns) == ["measure", "index"]
    np.testing.assert_array_equal(columns["measure"], np.sin(columns["index"]))


def test_a_missing_column_is_named(parquet: bytes) -> None:
    with pytest.raises(DataError, match=r"lacks the columns.*'offset'"):
        columns_of(parquet, ["index", "offset"])


def test_damage_is_a_data_error_or_no_matter(parquet: bytes) -> None:
    refused = 0
    for seed in range(200):
        rng, broken = random.Random(seed), bytearray(parquet)
        for place in rng.sample(range(len(broken)), 4):
            broken[place] ^= 1 << rng.randrange(8)
        try:
            columns_of(bytes(broken), ["index", "measure"])
        except DataError:
            refused += 1
    assert refused > 10
