"""Actors that hold a set's model and work on its shards."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import ray
import torch
from ray.exceptions import OutOfMemoryError, RayActorError

from argan.api import load_run
from argan.data.shard_files import write_shard
from argan.data.tuple_set import MODEL_PATH, encode_record, finished_shard
from argan.errors import DataError, UserError
from argan.generation.check import ShardCheck, check_shard, read_shard
from argan.generation.maker import TupleMaker
from argan.generation.platform import made_by, settle_numerics
from argan.generation.recipe import Recipe, Terms, config_sha256
from argan.generation.shard import make_shard
from argan.storage import Storage
from jobs.runtime.cli import say
from jobs.runtime.last_line import last_line

SHARDS_AT_ONCE = 2  # a worker: one is computed while another is read or written
RESTARTS = 20  # of a worker that died; what it was making is made again
ENVIRONMENT = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # without it a GPU's matrix products cannot be made repeatable
NOTICE_S = 30.0  # of waiting for processors


class MadeShard(NamedTuple):
    """What is told of a shard that stands."""

    is_new: bool
    num_samples: int
    num_kept: int
    size_bytes: int


class ShardWorker:
    """One actor. It computes one shard at a time, on one thread or on its GPU."""

    def __init__(self, out: Storage, recipe: Recipe) -> None:
        self._out = out
        self._recipe = recipe
        self._device = torch.device("cuda" if ray.get_gpu_ids() else "cpu")
        self._computing = threading.Lock()
        self._loaded: TupleMaker | None = None
        settle_numerics(self._device)

    def made_by(self) -> dict[str, Any]:
        return made_by(self._device)

    def make(self, number: int, terms: Terms) -> MadeShard:
        """Makes a shard, unless it stands there whole."""
        record = finished_shard(self._out, number, terms.sha256)
        if record is None:
            return self.make_anew(number, terms, None)
        return MadeShard(False, len(record.rows), record.shard.num_samples, record.shard.size_bytes)

    def make_anew(self, number: int, terms: Terms, expected_sha256: str | None) -> MadeShard:
        """Makes a shard whatever stands there: it may be whole by its hashes, and wrong. Raises UserError, and writes
        nothing, where a tar with another hash than the expected one comes out.
        """
        with self._computing:
            record, tar = make_shard(self._maker(terms), terms, number)
        if expected_sha256 not in (None, record.shard.sha256):
            raise UserError(f"{record.shard.name} comes out with other bytes here: this is not what made the set")
        write_shard(self._out, number, tar=tar, record=encode_record(record))
        return MadeShard(True, len(record.rows), record.shard.num_samples, record.shard.size_bytes)

    def check(self, number: int, terms: Terms, num_retaken: int) -> ShardCheck:
        files = read_shard(self._out, number)
        with self._computing:
            return check_shard(files, self._maker(terms, checks_only=True), terms, number, num_retaken=num_retaken)

    def _maker(self, terms: Terms, *, checks_only: bool = False) -> TupleMaker:
        """Loaded at the first call and not before, so that its errors are those of a task, which Ray hands on whole.

        Raises UserError unless this process is of the terms' kind: Ray may have started it anew on another machine.
        """
        if not checks_only and self.made_by() != {"versions": terms.versions, "platform": terms.platform}:
            raise UserError(f"a worker is of another kind than the set's terms say: {self.made_by()}")
        if self._loaded is None:
            run = load_run(self._out.child(MODEL_PATH).uri, device=self._device)
            found = (run.checkpoint_sha256, config_sha256(run.config))
            if found != (terms.checkpoint_sha256, terms.config_sha256):
                raise DataError(f"{run.uri} is not the model of the set's terms: was it replaced by another command?")
            self._loaded = TupleMaker(run.camera, run.config, self._recipe)
        return self._loaded


@dataclass(frozen=True)
class ShardWorkers:
    actors: Sequence[Any]

    @classmethod
    def start(cls, out: Storage, recipe: Recipe, num_workers: int | None) -> "ShardWorkers":
        """As many as were asked for, and no more than there are shards; a GPU each where the cluster has some.

        Raises UserError where the cluster has not enough for them: Ray would wait for ever.
        """
        resources = ray.cluster_resources()
        gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
        most, kind = (min(gpus, cpus), "a GPU and a CPU") if gpus else (cpus, "a CPU")
        if most < 1:
            raise UserError(f"the cluster has no {kind.removeprefix('a ')} for a worker yet: have its nodes joined?")
        wanted = num_workers or most
        if wanted > most:
            raise UserError(f"{wanted} workers need {kind} each, the cluster has them for {most}")
        actor = ray.remote(ShardWorker).options(
            num_cpus=1,
            num_gpus=1 if gpus else 0,
            max_concurrency=SHARDS_AT_ONCE,
            max_restarts=RESTARTS,
            max_task_retries=RESTARTS,
            runtime_env={"env_vars": ENVIRONMENT} if gpus else None,
        )
        return cls([actor.remote(out, recipe) for _ in range(min(wanted, recipe.num_shards))])

    def made_by(self) -> dict[str, Any]:
        """What all workers' bytes hang on. Raises UserError where they are of different kinds."""
        asked = [actor.made_by.remote() for actor in self.actors]
        while len(ray.wait(asked, num_returns=len(asked), timeout=NOTICE_S)[1]):
            say(f"waiting for {len(asked)} workers to start: are the processors busy?")
        with deaths_told():
            facts = ray.get(asked)
        for other in facts:
            if other != facts[0]:
                raise UserError(f"the workers are of different kinds, so would be their bytes: {facts[0]} and {other}")
        return facts[0]

    def over(self, method: str, calls: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """(number, what `method(number, ...)` returned) for the arguments of each call, a number first, as they come.

        Calls are an actor's own. One whose node is gone waits for a place, which the others hold to the end: so when
        nothing comes, those that are idle do its calls as well. Raises UserError where a worker died too often to be
        started again.
        """
        left = {call[0]: call for call in calls}
        waiting = iter(calls)
        running: dict[Any, tuple[Any, int]] = {}

        def hand_out(actor: Any, calls: Iterator[tuple[Any, ...]]) -> None:
            if call := next(calls, None):
                running[getattr(actor, method).remote(*call)] = (actor, call[0])

        for actor in [*self.actors] * SHARDS_AT_ONCE:
            hand_out(actor, waiting)
        while left:
            ready, _ = ray.wait(list(running), timeout=NOTICE_S)
            for done in ready:
                actor, number = running.pop(done)
                hand_out(actor, waiting)
                if number in left:
                    with deaths_told():
                        made = ray.get(done)
                    del left[number]
                    yield number, made
            busy = {id(actor) for actor, _ in running.values()}
            if not ready and (idle := [actor for actor in self.actors if id(actor) not in busy]):
                say(f"nothing came for {NOTICE_S:.0f} s: idle workers do the {len(left)} shards that are left as well")
                again = iter(left.values())
                for actor in idle:
                    hand_out(actor, again)


@contextmanager
def deaths_told() -> Iterator[None]:
    """A worker that died for good is one sentence. For want of memory Ray has another error than for other deaths."""
    try:
        yield
    except (RayActorError, OutOfMemoryError) as error:
        if isinstance(error, RayActorError) and error.actor_init_failed:  # the same code fails there each time
            raise UserError(f"no worker can be started: {last_line(error)}") from error
        raise UserError(
            f"a worker died {RESTARTS} times, the last time with {last_line(error)}: the same command goes on"
        ) from error
