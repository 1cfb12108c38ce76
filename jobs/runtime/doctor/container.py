"""The memory of the container around this process, as its control group tells it (version 2, or 1)."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GROUPS = Path("/sys/fs/cgroup")


class Memory(NamedTuple):
    """Bytes; what is read from files and can be dropped counts as available."""

    limit_bytes: int
    available_bytes: int


def container_memory(groups: Path = GROUPS) -> Memory | None:
    """None where there is no limit, or no such group."""
    return _memory(groups, "memory.max", "memory.current", "inactive_file") or _memory(
        groups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
    )


def _memory(group: Path, limit: str, usage: str, droppable: str) -> Memory | None:
    with suppress(OSError, ValueError, KeyError):  # no container, or "max"
        limit_bytes = int((group / limit).read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        used_bytes = int((group / usage).read_text()) - int(stat[droppable])
        return Memory(limit_bytes, max(0, limit_bytes - used_bytes))
    return None
