"""Which versions and which machine made a thing: recorded with every number, page and checkpoint."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import argan

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


def platform_facts() -> dict[str, Any]:
    """What the last bits of a training hang on beside versions and configuration: convolutions and reductions sum in
    an order that the processor, its threads and the number of workers decide (docs/decisions/data_parallel.md).

    Asked in the process that trains: `gpu` is the one that it has used, None on a processor.
    """
    import torch  # after `versions`, which the light parts of the library use
    import torch.distributed as dist

    return {
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_initialized() else None,
        "workers": dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1,
        "python": platform.python_version(),
    }
