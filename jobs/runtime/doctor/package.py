"""How much `ray job submit --working-dir` would send: by Ray's own walk, what the ignore files leave out left out."""

import logging
import os
from collections import Counter
from pathlib import Path

from ray._private.ray_constants import RAY_RUNTIME_ENV_IGNORE_GITIGNORE
from ray._private.runtime_env.packaging import GCS_STORAGE_MAX_SIZE, _dir_travel

from jobs.runtime.doctor.finding import Finding, fault, ok, warning

CHECK = "package"
MIB = 1 << 20
WARNING_BYTES = 100 * MIB  # every submission takes it through the head's memory
NUM_NAMED = 3

quiet = logging.getLogger(__name__)
quiet.setLevel(logging.WARNING)  # Ray tells of every ignore file that it finds


def check_package(working_dir: Path) -> list[Finding]:
    """The package is not compressed, so its size is that of its files."""
    sizes = folder_sizes(working_dir.absolute())
    total = sizes.total()
    largest = ", ".join(f"{name} {size / MIB:,.0f} MiB" for name, size in sizes.most_common(NUM_NAMED))
    found = f"{working_dir} is {total / MIB:,.1f} MiB, of which {largest}" if total else f"{working_dir} is empty"
    advice = f"name what the job does not need in {working_dir / '.rayignore'}"
    if total >= GCS_STORAGE_MAX_SIZE:
        return [fault(CHECK, f"{found}: Ray takes {GCS_STORAGE_MAX_SIZE / MIB:,.0f} MiB", advice)]
    if total > WARNING_BYTES:
        return [warning(CHECK, f"{found}: every submission sends it", advice)]
    return [ok(CHECK, found)]


def folder_sizes(top: Path) -> Counter[str]:
    """Bytes by the folder or file at the top that they belong to."""
    sizes: Counter[str] = Counter()

    def add(path: Path) -> None:
        if path.is_file():
            sizes[path.relative_to(top).parts[0]] += path.stat().st_size

    with_gitignore = os.environ.get(RAY_RUNTIME_ENV_IGNORE_GITIGNORE, "0") != "1"
    _dir_travel(top, [], add, include_gitignore=with_gitignore, logger=quiet)
    return sizes
