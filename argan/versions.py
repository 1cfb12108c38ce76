"""Which versions and which machine made a thing: recorded with every number, page and checkpoint."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import argan

if TYPE_CHECKING:  # at run time when needed: the light parts of the library ask for versions only
    import torch

NAMES = ("torch", "numpy", "pillow", "ray")


def versions() -> dict[str, str]:
    """Our own version, and those of what is installed among the packages that matter to a result."""
    found = {"argan": argan.__version__}
    for name in NAMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # the library runs without Ray, say
    return found


def platform_facts(device: "torch.device") -> dict[str, Any]:
    """What the last bits of a training on `device` hang on beside versions and configuration: convolutions and
    reductions sum in an order that the processor, its threads and the number of workers decide
    (docs/decisions/data_parallel.md). Asked in the process that trains; `gpu` is None on a processor.
    """
    import torch
    import torch.distributed as dist

    return {
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "workers": dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1,
        "python": platform.python_version(),
    }
