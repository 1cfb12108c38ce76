"""What every node of the cluster has and sees, asked by Ray.

It is asked in a process of its own (python -m jobs.runtime.doctor), which can be ended where Ray, or a node, hangs.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from argan.errors import StorageError
from argan.storage.probe import BODY, SMALL, Clock, impatient, own_place
from jobs.runtime.doctor.installed import installed
from jobs.runtime.doctor.machine import Machine, measure, try_gpu
from jobs.runtime.doctor.nodes import Node
from jobs.runtime.doctor.places import contact
from jobs.runtime.last_line import last_line
from jobs.runtime.session import joins_cluster, start_ray

CLOCK_READINGS = 3
MANIFEST = "manifest.json"
OF_RAY = ("NodeID", "NodeManagerHostname", "Alive", "Resources")

Landmarks = dict[str, tuple[str, str]]  # flag -> (URI, path of an object that stands there)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the nodes, within `seconds`."""

    packages: list[str]
    cache_folder: str
    data_uri: str
    out_uri: str
    seconds: float


class Observer:
    """An actor on each node, which takes no processor."""

    def measure(self, packages: list[str], cache_folder: str) -> Machine:
        return measure(installed(packages), cache_folder)

    def time(self) -> float:
        return time.time()

    def unseen(self, landmarks: Landmarks) -> dict[str, str]:
        """Flag -> why this node cannot use the place, for those that it cannot."""
        problems = {}
        for flag, (uri, path) in landmarks.items():
            try:
                if not impatient(uri).exists(path):
                    problems[flag] = f"{uri} is there, but not what this job sees in it"
            except StorageError as error:
                problems[flag] = str(error)
        return problems


def survey(question: Question) -> list[Node]:
    """The nodes that are alive. One that does not answer in time has that as its `problem`.

    Raises UserError where the cluster cannot be joined.
    """
    ends_at = time.monotonic() + question.seconds
    with start_ray():
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        def placed(node: dict[str, Any], **resources: int) -> dict[str, Any]:
            return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node["NodeID"], soft=False), **resources}

        alive = [{name: node[name] for name in OF_RAY} for node in ray.nodes() if node["Alive"]]
        observers = [ray.remote(Observer).options(**placed(node, num_cpus=0)).remote() for node in alive]
        machines = [each.measure.remote(question.packages, question.cache_folder) for each in observers]
        gpus = [
            ray.remote(try_gpu).options(**placed(node, num_cpus=0, num_gpus=1)).remote()
            if node["Resources"].get("GPU", 0) >= 1
            else None
            for node in alive
        ]
        # Last what may be in use and is worth a warning: a GPU that another job has must not make others look dead.
        soon = ends_at - question.seconds / 5
        with landmarks(question) as there:
            views = [observer.unseen.remote(there) for observer in observers]
            nodes = []
            for node, observer, machine, view in zip(alive, observers, machines, views, strict=True):
                measured, problem = answer(machine, soon)
                clock = read_clock(observer, soon) if measured else None
                unseen, silence = answer(view, ends_at) if measured else ({}, "")
                seen = {"storage": silence} if silence else unseen
                nodes.append(Node(of_ray=node, machine=measured, clock=clock, problem=problem, unseen=seen))
        return [replace(node, gpu=gpu and answer(gpu, ends_at)[0]) for node, gpu in zip(nodes, gpus, strict=True)]


def answer(reference: Any, ends_at: float) -> tuple[Any, str]:
    """What came back, or None and why nothing did."""
    import ray
    from ray.exceptions import GetTimeoutError, RayError

    try:
        return ray.get(reference, timeout=max(0.0, ends_at - time.monotonic())), ""
    except GetTimeoutError:
        return None, "no answer in time"
    except RayError as error:
        return None, last_line(error)


def read_clock(observer: Any, ends_at: float) -> Clock | None:
    """A node's clock against this machine's, by the quickest of a few answers."""
    clocks = []
    for _ in range(CLOCK_READINGS):
        asked_at = time.time()
        told, _problem = answer(observer.time.remote(), ends_at)
        answered_at = time.time()
        if told is not None:
            clocks.append(Clock(told - (asked_at + answered_at) / 2, (answered_at - asked_at) / 2))
    return min(clocks, key=lambda clock: clock.doubt_s, default=None)


@contextmanager
def landmarks(question: Question) -> Iterator[Landmarks]:
    """What every node should see, where there are others than this machine, which looks for itself. A place that this
    machine cannot use is left out: another check tells why.
    """
    found: Landmarks = {}
    if not joins_cluster():
        yield found
        return
    with ExitStack() as stack:
        with suppress(StorageError):
            data = impatient(question.data_uri)
            contact(data)
            if data.exists(MANIFEST):
                found["--data"] = (data.uri, MANIFEST)
        with suppress(StorageError):
            out = impatient(question.out_uri)
            contact(out)
            place = stack.enter_context(own_place(out))
            place.write_bytes(SMALL, BODY)
            found["--out"] = (place.uri, SMALL)
        yield found
