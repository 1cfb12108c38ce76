"""What a set's bytes hang on beside its recipe and its model: named in its terms, compared before anything is added."""

from typing import Any

import PIL.features
import torch

from argan.versions import platform_facts, versions

DECIDING_VERSIONS = ("argan", "torch", "numpy", "pillow")
DECIDING_FACTS = ("machine", "cpu_capability", "threads", "gpu")


def made_by(device: torch.device) -> dict[str, Any]:
    """The `versions` and `platform` of Terms for this process.

    The generator sums in an order that device, instruction set and threads decide; Pillow's zlib squeezes the PNGs.
    """
    found, facts = versions(), platform_facts(device)
    squeezers = {f"pillow's {name}": PIL.features.version(name) or "none" for name in ("zlib", "zlib_ng")}
    cuda = {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()} if device.type == "cuda" else {}
    return {
        "versions": {name: found[name] for name in DECIDING_VERSIONS} | squeezers,
        "platform": {name: facts[name] for name in DECIDING_FACTS} | cuda,
    }


def settle_numerics(device: torch.device) -> None:
    """For a process that makes samples: the same sums every time. One thread; on a GPU no algorithm whose order of
    summing changes, and none in TF32.
    """
    torch.set_num_threads(1)
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
