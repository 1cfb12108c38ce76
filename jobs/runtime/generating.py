"""Sets of tuples on Ray: made, checked and repaired shard by shard, by actors that hold the set's own model."""

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argan.config import Config
from argan.data.tuple_manifest import write_tuple_manifest
from argan.data.tuple_set import MODEL_PATH, ORIGIN_PATH, TERMS_PATH, ShardRecord, decode_record, record_path
from argan.errors import ConflictError, DataError, MissingError, UserError
from argan.generation.check import Fault, ShardCheck, set_faults, strangers
from argan.generation.recipe import Recipe, Terms, config_sha256, decode_terms, differences, encode_terms
from argan.runs.checkpoints import find_checkpoint, read_pointer
from argan.runs.export import export_model
from argan.runs.folder import find_run, read_config
from argan.settings import run_name
from argan.storage import Storage, open_storage
from jobs.runtime.card import write_card
from jobs.runtime.cli import Progress
from jobs.runtime.origin import commit
from jobs.runtime.session import start_ray

if TYPE_CHECKING:
    from jobs.runtime.shard_workers import ShardWorkers

NUM_RERENDERED = 10  # samples a shard that `verify` renders again


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """What somebody asked to be made, and with what."""

    run_uri: str
    out_uri: str
    recipe: Recipe
    num_workers: int | None = None  # None: all processors, or all GPUs where there are some


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a generation came to."""

    head: dict[str, Any]  # the content of manifest.json
    num_new_shards: int
    size_bytes: int


def plan(request: GenerationRequest) -> dict[str, Any]:
    """What would be made. Writes nothing."""
    recipe, run = request.recipe, find_run(request.run_uri)
    config = read_config(run)
    return {
        "run": run.uri,
        "out": open_storage(request.out_uri).uri,
        "recipe": dataclasses.asdict(recipe),
        "resolution": config.resolution,
        "views_per_side": recipe.views_per_side(config),
        "num_shards": recipe.num_shards,
    }


def generate(request: GenerationRequest) -> Made:
    """Makes what is not there yet, by verified hash, then the manifest. Raises UserError with one sentence."""
    out = open_storage(request.out_uri)
    config, checkpoint = _settle_model(request, out)
    with start_ray(num_cpus=request.num_workers):
        from jobs.runtime.shard_workers import ShardWorkers  # it imports Ray, which reads its environment at import

        workers = ShardWorkers.start(out, request.recipe, request.num_workers)
        terms = Terms(
            recipe=request.recipe,
            checkpoint_sha256=checkpoint,
            config_sha256=config_sha256(config),
            **workers.made_by(),
        )
        _settle_terms(out, terms)
        numbers = range(terms.recipe.num_shards)
        num_new, size_bytes = _make(workers, terms, numbers)
    head = write_tuple_manifest(out, terms.sha256, records(out, terms))
    write_card(out, terms, head)
    return Made(head=head, num_new_shards=num_new, size_bytes=size_bytes)


def verify(uri: str, num_workers: int | None) -> tuple[list[Fault], Terms]:
    """All that is wrong with the set. Raises UserError where there is no set, or where its terms are unreadable."""
    out = open_storage(uri)
    terms = read_terms(out)
    require_model(out, terms)
    with start_ray(num_cpus=num_workers):
        from jobs.runtime.shard_workers import ShardWorkers

        workers = ShardWorkers.start(out, terms.recipe, num_workers)
        checks = _check(workers, terms)
    return set_faults(out, terms, checks), terms


def repair(uri: str, num_workers: int | None) -> list[Fault]:
    """Makes anew what is broken, and only that; returns what was wrong. Raises UserError on another platform than the
    one that made the set.
    """
    out = open_storage(uri)
    terms = read_terms(out)
    require_model(out, terms)
    with start_ray(num_cpus=num_workers):
        from jobs.runtime.shard_workers import ShardWorkers

        workers = ShardWorkers.start(out, terms.recipe, num_workers)
        changed = differences(terms, dataclasses.replace(terms, **workers.made_by()))
        if changed:
            raise UserError(f"{out.uri} cannot be repaired here, the bytes would be others ({changed})")
        checks = _check(workers, terms)
        faults = set_faults(out, terms, checks)
        broken = [number for number, check in checks.items() if check.faults]
        for number in broken:
            out.delete(record_path(number))  # without it the shard counts as not made
        _make(workers, terms, broken)
    for fault in list(strangers(out, terms)):
        out.delete(fault.path)
    head = write_tuple_manifest(out, terms.sha256, records(out, terms))
    write_card(out, terms, head)
    return faults


def read_terms(out: Storage) -> Terms:
    """Raises MissingError where there is no set, DataError where its terms are damaged."""
    try:
        return decode_terms(out.read_bytes(TERMS_PATH))
    except MissingError:
        raise MissingError(f"there is no set of tuples at {out.uri}: {TERMS_PATH} is missing") from None


def require_model(out: Storage, terms: Terms) -> None:
    """Raises DataError unless the set's own model is whole, and the one of its terms."""
    model = out.child(MODEL_PATH)
    found = find_checkpoint(model, warn=_warn, generator_only=True)
    if found is None or found.entry["sha256"] != terms.checkpoint_sha256:
        raise DataError(f"{model.uri} is not the model that made the set (sha256 {terms.checkpoint_sha256})")


def records(out: Storage, terms: Terms) -> Iterator[ShardRecord]:
    """The records of all shards, in order."""
    for number in range(terms.recipe.num_shards):
        yield decode_record(out.read_bytes(record_path(number)))


def _settle_model(request: GenerationRequest, out: Storage) -> tuple[Config, str]:
    """The run's configuration, and the checkpoint hash of the set's own model, which is copied the first time."""
    run = find_run(request.run_uri)
    if not out.exists(TERMS_PATH):
        exported = export_model(run, out.child(MODEL_PATH), warn=_warn)
        config = read_config(out.child(MODEL_PATH))
        out.write_bytes(ORIGIN_PATH, json.dumps(_origin(config, exported.record), indent=1).encode())
        return config, exported.sha256
    terms = read_terms(out)
    require_model(out, terms)
    if read_pointer(run).checkpoints[0]["sha256"] != terms.checkpoint_sha256:
        _warn(f"the run has another checkpoint by now; the set at {out.uri} stays with the one that it began with")
    return read_config(run), terms.checkpoint_sha256


def _origin(config: Config, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": run_name(config),
        "images seen": record["images_seen"],
        "trained with": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
        "made by commit": commit(),
    }


def _settle_terms(out: Storage, terms: Terms) -> None:
    """Writes the terms, or finds the same ones there. Raises UserError where a set of other terms stands."""
    try:
        out.write_if(TERMS_PATH, encode_terms(terms), version=None)
    except ConflictError:
        changed = differences(read_terms(out), terms)
        if changed:
            raise UserError(f"{out.uri} holds a set made on other terms ({changed}): choose another place") from None


def _make(workers: "ShardWorkers", terms: Terms, numbers: Sequence[int]) -> tuple[int, int]:
    """(shards that were not there, bytes of all)."""
    progress = Progress(sum(len(terms.recipe.indices(number)) for number in numbers), "tuples")
    done = kept = num_new = size_bytes = 0
    note = ""
    for _, made in workers.over(numbers, "make", terms):
        done, kept, size_bytes = done + made.num_samples, kept + made.num_kept, size_bytes + made.size_bytes
        num_new += made.is_new
        note = f"{kept:,} kept | {size_bytes / 1e6:,.1f} MB"
        progress.show(done, note)
    if numbers:
        progress.close(done, note)
    return num_new, size_bytes


def _check(workers: "ShardWorkers", terms: Terms) -> dict[int, ShardCheck]:
    progress = Progress(terms.recipe.num_shards, "shards")
    checks: dict[int, ShardCheck] = {}
    for number, check in workers.over(range(terms.recipe.num_shards), "check", terms, NUM_RERENDERED):
        checks[number] = check
        progress.show(len(checks), f"{sum(bool(each.faults) for each in checks.values()):,} with faults")
    progress.close(len(checks))
    return dict(sorted(checks.items()))


def _warn(text: str) -> None:
    print(text, file=sys.stderr)
