"""Sets of tuples on Ray: made, checked and repaired shard by shard, by actors that hold the set's own model."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argan.data.tuple_manifest import read_head, write_tuple_manifest
from argan.data.tuple_set import TERMS_PATH, TupleShard, read_record
from argan.differences import differences
from argan.errors import ConflictError, DataError, MissingError, UserError
from argan.generation.check import Fault, ShardCheck
from argan.generation.recipe import Recipe, Terms, config_sha256, decode_terms, encode_terms
from argan.generation.set_check import set_faults, strangers, surplus
from argan.runs.folder import find_run, read_config
from argan.storage import Storage, open_storage
from jobs.runtime.card import write_card
from jobs.runtime.cli import Progress
from jobs.runtime.session import start_ray
from jobs.runtime.set_model import require_model, require_usable, settle_model

if TYPE_CHECKING:
    from jobs.runtime.shard_workers import ShardWorkers


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


@dataclass(frozen=True, kw_only=True)
class CareRequest:
    """Which set somebody wants looked after, and how thoroughly."""

    uri: str
    num_workers: int | None = None
    num_retaken: int = 10  # samples a shard whose shallow photos are taken again


def plan(request: GenerationRequest) -> dict[str, Any]:
    """What would be made. Writes nothing. Raises UserError for a run that could not make it."""
    run, out = find_run(request.run_uri), open_storage(request.out_uri)
    config = read_config(run)
    require_usable(config, run.uri)
    recipe = request.recipe.settled(config)
    return {
        "run": run.uri,
        "out": out.uri,
        "goes_on": out.exists(TERMS_PATH),
        "recipe": dataclasses.asdict(recipe),
        "resolution": config.resolution,
        "views_per_side": recipe.views_per_side(config),
        "num_shards": recipe.num_shards,
    }


def generate(request: GenerationRequest) -> Made:
    """Makes what is not there yet, by verified hash, then the manifest and the card. Raises UserError with one
    sentence, also where nothing at all was kept.
    """
    out = open_storage(request.out_uri)
    standing = read_terms(out) if out.exists(TERMS_PATH) else None
    config, checkpoint = settle_model(request.run_uri, out, standing)
    recipe = request.recipe.settled(config)
    recipe.views_per_side(config)  # says so where the focus is out of range
    with start_ray(num_cpus=request.num_workers):
        from jobs.runtime.shard_workers import ShardWorkers  # it imports Ray, which reads its environment at import

        workers = ShardWorkers.start(out, recipe, request.num_workers)
        terms = Terms(
            recipe=recipe, checkpoint_sha256=checkpoint, config_sha256=config_sha256(config), **workers.made_by()
        )
        _settle_terms(out, terms)
        calls = [(number, terms) for number in range(recipe.num_shards)]
        num_new, size_bytes = _make(workers, "make", calls)
    head = write_tuple_manifest(out, terms.sha256, records(out, terms))
    if not head["num_kept"]:
        raise UserError(f"all {head['num_samples']:,} samples were rejected ({head['rejected']}): see {out.uri}")
    write_card(out, terms, head)
    return Made(head=head, num_new_shards=num_new, size_bytes=size_bytes)


def verify(request: CareRequest) -> tuple[list[Fault], Terms]:
    """All that is wrong with the set. Raises UserError where there is no set, or none that can be checked."""
    out = open_storage(request.uri)
    terms = read_terms(out)
    require_model(out, terms)
    with start_ray(num_cpus=request.num_workers):
        from jobs.runtime.shard_workers import ShardWorkers

        checks = _check(ShardWorkers.start(out, terms.recipe, request.num_workers), terms, request.num_retaken)
    return set_faults(out, terms, checks, lambda: records(out, terms)), terms


def repair(request: CareRequest) -> tuple[list[Fault], list[Fault]]:
    """Makes anew what is broken, and only that; returns what was wrong and is mended, and what is left as it was.

    Raises UserError on another platform than the one that made the set, where the shards were made on other terms, and
    where other bytes come out than were recorded. Files that no set of ours has stay.
    """
    out = open_storage(request.uri)
    terms = read_terms(out)
    require_model(out, terms)
    with start_ray(num_cpus=request.num_workers):
        from jobs.runtime.shard_workers import ShardWorkers

        workers = ShardWorkers.start(out, terms.recipe, request.num_workers)
        changed = differences(
            dataclasses.asdict(terms), dataclasses.asdict(dataclasses.replace(terms, **workers.made_by()))
        )
        if changed:
            raise UserError(f"{out.uri} cannot be repaired here, the bytes would be others ({changed})")
        checks = _check(workers, terms, request.num_retaken)
        faults = set_faults(out, terms, checks, lambda: records(out, terms))
        if not any(check.recorded_sha256 for check in checks.values()) and any(
            check.on_other_terms for check in checks.values()
        ):
            raise UserError(f"no shard of {out.uri} was made on the terms in {TERMS_PATH}: which are right?")
        broken = [number for number, check in checks.items() if check.faults]
        expected = _expected(out, terms, checks)
        _make(workers, "make_anew", [(number, terms, expected.get(number)) for number in broken])
    for fault in list(surplus(out, terms)):
        out.delete(fault.path)
    head = write_tuple_manifest(out, terms.sha256, records(out, terms))
    card = [Fault(path, "not what the set's card says") for path in write_card(out, terms, head)]
    left = list(strangers(out))
    return [*(fault for fault in faults if fault not in left), *card], left


def read_terms(out: Storage) -> Terms:
    """Raises MissingError where there is no set, DataError where its terms are damaged."""
    try:
        return decode_terms(out.read_bytes(TERMS_PATH))
    except MissingError:
        raise MissingError(f"there is no set of tuples at {out.uri}: {TERMS_PATH} is missing") from None
    except DataError as error:
        raise DataError(f"{out.uri}/{TERMS_PATH}: {error}") from error


def records(out: Storage, terms: Terms) -> Iterator[TupleShard]:
    """The records of all shards, in order, one at a time."""
    for number in range(terms.recipe.num_shards):
        yield read_record(out, number)


def _settle_terms(out: Storage, terms: Terms) -> None:
    """Writes the terms, or finds the same ones there. Raises UserError where a set of other terms stands."""
    try:
        out.write_if(TERMS_PATH, encode_terms(terms), version=None)
    except ConflictError:
        changed = differences(dataclasses.asdict(read_terms(out)), dataclasses.asdict(terms))
        if changed:
            raise UserError(f"{out.uri} holds a set made on other terms ({changed}): choose another place") from None


def _make(workers: "ShardWorkers", method: str, calls: Sequence[tuple[Any, ...]]) -> tuple[int, int]:
    """(shards made now, bytes of all). A call is a shard's number, the terms, and what else `method` takes."""
    total = sum(len(terms.recipe.indices(number)) for number, terms, *_ in calls)
    progress, done, kept, num_new, size_bytes = Progress(total, "tuples"), 0, 0, 0, 0
    for _, made in workers.over(method, calls):
        done, kept, size_bytes = done + made.num_samples, kept + made.num_kept, size_bytes + made.size_bytes
        num_new += made.is_new
        if not made.is_new:
            progress.found(made.num_samples)
        progress.show(done, f"{kept:,} kept | {size_bytes / 1e6:,.1f} MB | {num_new:,} new shards")
    if calls:
        progress.close(done, f"{kept:,} kept | {size_bytes / 1e6:,.1f} MB | {num_new:,} new shards")
    return num_new, size_bytes


def _check(workers: "ShardWorkers", terms: Terms, num_retaken: int) -> dict[int, ShardCheck]:
    progress, num_faulty = Progress(terms.recipe.num_shards, "shards"), 0
    checks: dict[int, ShardCheck] = {}
    calls = [(number, terms, num_retaken) for number in range(terms.recipe.num_shards)]
    for number, check in workers.over("check", calls):
        checks[number] = check
        num_faulty += bool(check.faults)
        progress.show(len(checks), f"{num_faulty:,} with faults")
    progress.close(len(checks), f"{num_faulty:,} with faults")
    return checks


def _expected(out: Storage, terms: Terms, checks: Mapping[int, ShardCheck]) -> dict[int, str]:
    """The hash that a shard should have whose files do not fit each other: by its record, else by the manifest."""
    try:
        head = read_head(out)
        shards = head["shards"] if head["terms_sha256"] == terms.sha256 else []
        by_manifest = {number: shard["sha256"] for number, shard in enumerate(shards)}
    except (DataError, MissingError):
        by_manifest = {}
    expected = {}
    for number, check in checks.items():
        if check.recorded_sha256 is None and number in by_manifest:
            expected[number] = by_manifest[number]
        elif check.recorded_sha256 is not None and check.recorded_sha256 != check.found_sha256:
            expected[number] = check.recorded_sha256
    return expected
