"""Actors that hold a set's model and work on its shards."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import ray
import torch

from argan.api import load_run
from argan.data.tuple_set import MODEL_PATH, finished_shard, write_shard
from argan.errors import UserError
from argan.generation.check import ShardCheck, check_shard
from argan.generation.maker import TupleMaker
from argan.generation.platform import made_by
from argan.generation.recipe import Recipe, Terms
from argan.generation.shard import make_shard
from argan.storage import Storage

SHARDS_AT_ONCE = 2  # a worker: one is computed while another is read or written
RESTARTS = 20  # of a worker that died; what it was making is made again


class MadeShard(NamedTuple):
    """What is told of a shard that stands."""

    is_new: bool
    num_samples: int
    num_kept: int
    size_bytes: int


class ShardWorker:
    """One actor. It computes one shard at a time, on one thread or on its GPU."""

    def __init__(self, out: Storage, recipe: Recipe) -> None:
        torch.set_num_threads(1)  # the last bits of a sum depend on how many there are
        self._device = torch.device("cuda" if ray.get_gpu_ids() else "cpu")
        self._out = out
        run = load_run(out.child(MODEL_PATH).uri, device=self._device)
        self._maker = TupleMaker(run.camera, run.config, recipe)
        self._computing = threading.Lock()

    def made_by(self) -> dict[str, Any]:
        return made_by(self._device)

    def make(self, number: int, terms: Terms) -> MadeShard:
        """Makes a shard, unless it stands there whole."""
        record = finished_shard(self._out, number, terms.sha256)
        is_new = record is None
        if record is None:
            with self._computing:
                record, data = make_shard(self._maker, terms, number)
            write_shard(self._out, record, data)
        return MadeShard(is_new, len(record.rows), record.shard.num_samples, record.shard.size_bytes)

    def check(self, number: int, terms: Terms, num_rerendered: int) -> ShardCheck:
        with self._computing:
            return check_shard(self._out, self._maker, terms, number, num_rerendered=num_rerendered)


@dataclass(frozen=True)
class ShardWorkers:
    actors: Sequence[Any]

    @classmethod
    def start(cls, out: Storage, recipe: Recipe, num_workers: int | None) -> "ShardWorkers":
        """As many as were asked for, and no more than there are shards; a GPU each where the cluster has some.

        Raises UserError where the cluster has not enough for them: Ray would wait for ever.
        """
        resources = ray.cluster_resources()
        kind = "GPU" if resources.get("GPU", 0) >= 1 else "CPU"
        most = int(resources.get(kind, 0))
        wanted = num_workers or most
        if wanted > most:
            raise UserError(f"{wanted} workers need a {kind} each, the cluster has {most}")
        options = {
            "num_cpus": 1,
            "num_gpus": 1 if kind == "GPU" else 0,
            "max_concurrency": SHARDS_AT_ONCE,
            "max_restarts": RESTARTS,
            "max_task_retries": RESTARTS,
        }
        actor = ray.remote(ShardWorker).options(**options)
        return cls([actor.remote(out, recipe) for _ in range(min(wanted, recipe.num_shards))])

    def made_by(self) -> dict[str, Any]:
        """What all workers' bytes hang on. Raises UserError where they are of different kinds."""
        facts = ray.get([actor.made_by.remote() for actor in self.actors])
        for other in facts:
            if other != facts[0]:
                raise UserError(f"the workers are of different kinds, so would be their bytes: {facts[0]} and {other}")
        return facts[0]

    def over(self, numbers: Sequence[int], method: str, *arguments: Any) -> Iterator[tuple[int, Any]]:
        """(number, what `method(number, *arguments)` returned) for each number, as they come."""
        waiting = iter(numbers)
        running: dict[Any, tuple[Any, int]] = {}

        def hand_out(actor: Any) -> None:
            number = next(waiting, None)
            if number is not None:
                running[getattr(actor, method).remote(number, *arguments)] = (actor, number)

        for actor in [*self.actors] * SHARDS_AT_ONCE:
            hand_out(actor)
        while running:
            [ready], _ = ray.wait(list(running))
            actor, number = running.pop(ready)
            hand_out(actor)
            yield number, ray.get(ready)
