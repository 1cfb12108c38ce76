"""What a container's group says of memory."""

from pathlib import Path

import pytest

from jobs.runtime.doctor.container import Memory, container_memory

GIB = 1 << 30
V2 = {"memory.max": f"{8 * GIB}", "memory.current": f"{6 * GIB}", "memory.stat": f"inactive_file {GIB}\nslab 3\n"}
V1 = {
    "memory/memory.limit_in_bytes": f"{8 * GIB}",
    "memory/memory.usage_in_bytes": f"{6 * GIB}",
    "memory/memory.stat": f"cache 7\ntotal_inactive_file {GIB}\n",
}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (V2, Memory(8 * GIB, 3 * GIB)),
        (V1, Memory(8 * GIB, 3 * GIB)),
        (V2 | {"memory.current": f"{10 * GIB}"}, Memory(8 * GIB, 0)),
        (V2 | {"memory.max": "max\n"}, None),
        ({}, None),
    ],
)
def test_what_others_use_is_not_free(tmp_path: Path, files: dict[str, str], found: Memory | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert container_memory(tmp_path) == found
