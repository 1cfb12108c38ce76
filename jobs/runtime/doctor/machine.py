"""What a machine has, measured on it, as plain values that travel. Knows nothing of Ray."""

import os
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from argan.data.cache import cache_directory
from jobs.runtime.doctor.container import container_memory

SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Bytes, and versions by package. What a container may not have does not count."""

    host: str
    versions: dict[str, str]
    memory_bytes: int
    available_bytes: int  # of memory, now
    shm_bytes: int | None  # free in /dev/shm; None where there is none, as on macOS
    disk_folder: str  # where the cache of shards lies
    disk_bytes: int
    free_bytes: int  # on that disk, for the cache: what it holds already counts as free
    has_bf16: bool  # whether its processor has units for it


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU, tried in a task to which Ray gave it. `problem` is empty where it computes."""

    name: str = ""
    memory_bytes: int = 0
    has_nccl: bool = False
    problem: str = ""


def measure(versions: dict[str, str], cache_folder: str) -> Machine:
    """This machine; `cache_folder` as in compute.cache_folder."""
    from argan.training.number_formats import multiplies_bf16

    folder = cache_directory(cache_folder)
    cached = 0
    for path in folder.glob("*"):
        with suppress(OSError):  # a training that runs there drops some
            cached += path.stat().st_size
    disk = shutil.disk_usage(existing(folder))
    container = container_memory()
    memory_bytes, available_bytes = machine_memory()
    if container is not None:
        memory_bytes = min(memory_bytes, container.limit_bytes)
        available_bytes = min(available_bytes, container.available_bytes)
    return Machine(
        host=socket.gethostname(),
        versions=versions,
        memory_bytes=memory_bytes,
        available_bytes=available_bytes,
        shm_bytes=shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else None,
        disk_folder=str(existing(folder)),
        disk_bytes=disk.total,
        free_bytes=disk.free + cached,
        has_bf16=multiplies_bf16(),
    )


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def machine_memory() -> tuple[int, int]:
    """Bytes of this machine, and those that could be had now, by Linux's own estimate; elsewhere all there are."""
    total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return total_bytes, int(line.split()[1]) << 10
    return total_bytes, total_bytes


def try_gpu() -> Gpu:
    """A small product on the GPU, in the process that has it."""
    import torch
    import torch.distributed as dist

    has_nccl = dist.is_available() and dist.is_nccl_available()
    if not torch.cuda.is_available():
        return Gpu(has_nccl=has_nccl, problem=f"torch {torch.__version__} sees no GPU")
    try:
        ones = torch.ones(64, 64, device="cuda")
        total = float((ones @ ones).sum())
        _, memory_bytes = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
    except RuntimeError as error:
        return Gpu(has_nccl=has_nccl, problem=str(error).strip().partition("\n")[0])
    problem = "" if total == 64.0**3 else f"it computes {total:g} where {64**3} is right"
    return Gpu(name=name, memory_bytes=memory_bytes, has_nccl=has_nccl, problem=problem)
