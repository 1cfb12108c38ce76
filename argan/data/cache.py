"""A node's own copies of shards, whole files under a limit in bytes, shared by all processes of the node."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ShardCache:
    """Files in `directory`, together at most `limit_bytes`, the longest unused dropped first."""

    directory: Path
    limit_bytes: int
