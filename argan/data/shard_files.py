"""How the files of any set of shards are named and written: a tar, then its record beside it."""

import hashlib
import re

from argan.storage import Storage

SHARD_FILE = re.compile(r"shards/(\d{5,})\.(tar|json)")  # what has another name is not ours


def tar_path(number: int) -> str:
    return f"shards/{number:05d}.tar"


def record_path(number: int) -> str:
    return f"shards/{number:05d}.json"


def sha256(data: bytes) -> str:
    """In hex, as manifests and records hold it."""
    return hashlib.sha256(data).hexdigest()


def write_shard(out: Storage, number: int, *, tar: bytes, record: bytes) -> None:
    """The tar first: who finds the record need not make the shard again."""
    out.write_bytes(tar_path(number), tar)
    out.write_bytes(record_path(number), record)
