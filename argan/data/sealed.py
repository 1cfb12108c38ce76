"""JSON that carries its own hash: a file that was changed after it was written is known as such, by itself."""

import json
from typing import Any

from argan.data.shard_files import sha256
from argan.errors import DataError

SEAL = "sha256_of_the_rest"


def seal(values: dict[str, Any], *, indent: int | None = None) -> bytes:
    """`values` as JSON with the hash of the rest in it. Equal values give equal bytes. ValueError for NaN and infinity,
    which JSON does not have.
    """
    return _encode({**values, SEAL: seal_of(values)}, indent)


def seal_of(values: dict[str, Any]) -> str:
    """The hash by which other files name these values."""
    return sha256(_encode(values, None))


def unseal(data: bytes, schema: str, *, indent: int | None = None) -> dict[str, Any]:
    """The values without seal and schema. Raises DataError where they are not what was sealed, or of another schema."""
    try:
        values = json.loads(data)
        del values[SEAL]
        found = values["schema"]
        is_whole = seal(values, indent=indent) == data
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"it does not parse: {error}") from error
    if found != schema:
        raise DataError(f"it has schema {found!r}, not {schema!r}")
    if not is_whole:
        raise DataError("it is not as it was written")
    del values["schema"]
    return values


def _encode(values: dict[str, Any], indent: int | None) -> bytes:
    return (json.dumps(values, indent=indent, sort_keys=True, allow_nan=False) + "\n").encode()
