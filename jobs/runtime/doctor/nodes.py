"""A node of the cluster: what Ray says of it, and what it said of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from argan.storage.probe import Clock
from jobs.runtime.doctor.machine import Gpu, Machine


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node: what Ray says of it (as in ray.nodes()), and what it said of itself; None for what it did not say."""

    of_ray: dict[str, Any]
    machine: Machine | None = None
    clock: Clock | None = None
    gpu: Gpu | None = None
    problem: str = ""  # why it said nothing
    unseen: dict[str, str] = field(default_factory=dict)  # "--data" or "--out" -> why the node cannot use it

    @property
    def name(self) -> str:
        return str(self.of_ray.get("NodeManagerHostname", "a node"))

    @property
    def gpus(self) -> int:
        return int(self.of_ray["Resources"].get("GPU", 0))

    @property
    def is_head(self) -> bool:
        return "node:__internal_head__" in self.of_ray["Resources"]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Node":
        """Out of JSON."""
        machine, clock, gpu = values["machine"], values["clock"], values["gpu"]
        parts = {
            "machine": Machine(**machine) if machine else None,
            "clock": Clock(*clock) if clock else None,
            "gpu": Gpu(**gpu) if gpu else None,
        }
        return cls(**{**values, **parts})
