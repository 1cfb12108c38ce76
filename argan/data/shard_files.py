"""How the files of any set of shards are named and written: a tar, then its record beside it."""

import hashlib
import re
from collections.abc import Mapping

from argan.storage import Storage


def tar_path(number: int) -> str:
    return f"shards/{number:05d}.tar"


def record_path(number: int) -> str:
    return f"shards/{number:05d}.json"


def shard_number(path: str) -> int | None:
    """The shard that a tar or a record of this name is of; None for what is not ours, "shards/000001.tar" too."""
    name = re.fullmatch(r"shards/(\d{5,})\.(tar|json)", path)
    number = int(name[1]) if name else 0
    return number if path in (tar_path(number), record_path(number)) else None


def sha256(data: bytes) -> str:
    """In hex, as manifests and records hold it."""
    return hashlib.sha256(data).hexdigest()


def misfit(place: Storage, sizes_bytes: Mapping[str, int]) -> str:
    """What is not there, or not as large as it should be: path -> bytes of all that should. Empty where all fits; one
    listing tells.
    """
    found = {entry.path: entry.size_bytes for entry in place.list("shards/")}
    for path, size in sizes_bytes.items():
        if found.get(path) != size:
            got = f"{found[path]:,} bytes" if path in found else "missing"
            return f"{place.uri}/{path}: {got}, expected {size:,} bytes"
    return ""


def write_shard(out: Storage, number: int, *, tar: bytes, record: bytes) -> None:
    """The tar first: who finds the record need not make the shard again."""
    out.write_bytes(tar_path(number), tar)
    out.write_bytes(record_path(number), record)
