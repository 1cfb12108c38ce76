"""The KubeRay manifests and what the tests ask of them."""

import copy
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = sorted((ROOT / "cluster" / "kuberay").glob("*.yaml"))
UNITS = {"": 1, "Mi": 1 << 20, "Gi": 1 << 30}

Manifest = dict[str, Any]


def load(name: str) -> Manifest:
    return yaml.safe_load((ROOT / "cluster" / "kuberay" / f"{name}.yaml").read_text())


def cluster_of(manifest: Manifest) -> Manifest:
    """The Ray cluster that a manifest asks for, a job's or one that stays."""
    return manifest["spec"].get("rayClusterSpec", manifest["spec"])


def pods(manifest: Manifest) -> list[Manifest]:
    """Of the head first, then one of each worker group."""
    cluster = cluster_of(manifest)
    return [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def limits(pod: Manifest) -> dict[str, str]:
    [container] = pod["containers"]
    return container["resources"]["limits"]


def entrypoint(manifest: Manifest) -> list[str]:
    return shlex.split(manifest["spec"]["entrypoint"])


def num_gpus(manifest: Manifest) -> int:
    """All that the cluster has when a job begins."""
    groups = cluster_of(manifest)["workerGroupSpecs"]
    return sum(group["replicas"] * int(limits(group["template"]["spec"]).get("nvidia.com/gpu", 0)) for group in groups)


def amount(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\D*)", quantity).groups()
    return int(number) * UNITS[unit]


def misspelled(document: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """(place, the document with that one key misspelled) for every key in it."""
    places: list[tuple[str | int, ...]] = [()]
    while places:
        place = places.pop()
        value = at(document, place)
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((*place, key))
            if isinstance(value, dict):
                wrong = copy.deepcopy(document)
                holder = at(wrong, place)
                holder[f"{key}x"] = holder.pop(key)
                yield (*place, key), wrong


def at(document: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        document = document[key]
    return document
