"""What a set's bytes hang on beside its recipe and its model: named in its terms, compared before anything is added."""

from typing import Any

import torch

from argan.versions import platform_facts, versions

DECIDING_VERSIONS = ("argan", "torch", "numpy", "pillow")
DECIDING_FACTS = ("machine", "cpu_capability", "threads", "gpu")


def made_by(device: torch.device) -> dict[str, Any]:
    """The `versions` and `platform` of Terms for this process.

    The generator sums in an order that device, instruction set and threads decide; Pillow brings the PNG encoder.
    """
    found, facts = versions(), platform_facts(device)
    return {
        "versions": {name: found[name] for name in DECIDING_VERSIONS},
        "platform": {name: facts[name] for name in DECIDING_FACTS},
    }
