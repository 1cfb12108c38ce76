"""Columns out of Parquet bytes, as numpy arrays."""

from collections.abc import Sequence

import numpy as np

from argan.errors import DataError


def columns_of(parquet: bytes, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of these names. Raises DataError where one is missing, or the bytes are no whole Parquet file."""
    import pyarrow as pa  # half a second that --help does not pay
    import pyarrow.parquet as pq

    # A copy in Arrow's own memory: a thread of Arrow that still holds Python's aborts a process that ends at once, as
    # an early refusal does (pyarrow 26, exit code 134).
    copy = pa.BufferOutputStream()
    copy.write(parquet)
    try:
        file = pq.ParquetFile(pa.BufferReader(copy.getvalue()))
        missing = sorted(set(names) - set(file.schema_arrow.names))
        if missing:
            raise DataError(f"it lacks the columns {missing}")
        table = file.read(columns=list(names))
        return {name: table[name].to_numpy() for name in names}
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"it is no whole Parquet file: {error}") from error
