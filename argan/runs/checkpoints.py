"""Checkpoints in a run's folder: written aside, then committed by one conditional write of `latest.json`.

A checkpoint is a folder of plain data that explains itself: two files of tensors, and `checkpoint.json` with the
configuration, versions and platform that made them and their SHA-256. `latest.json` lists the good ones, newest first,
with the SHA-256 of each one's `checkpoint.json`. Loading takes the newest whose bytes are what was committed, and says
so when that is not the first. Attempts are the lease's generations, one for each owner and each of its tries: an owner
that has lost its lease is stopped by its driver, and a worker of an earlier attempt that lives on cannot commit any
more once a later one has.
"""

import json
import re
import uuid
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import safetensors.torch
import torch

from argan.config import Config
from argan.data.shard_files import sha256
from argan.errors import ConflictError, DataError, MissingError, UserError
from argan.runs.lease import overtaken, require_latest
from argan.settings import to_dict
from argan.storage import Storage
from argan.training.checkpoint import Snapshot
from argan.versions import platform_facts, versions

POINTER = "latest.json"
POINTER_SCHEMA = "argan-pointer/1"
EXPORTED = 0  # in the place of the attempt, where no attempt wrote the pointer: those count from 1
ENTRY_FIELDS = ("images_seen", "path", "sha256")  # the hash is that of checkpoint.json
RECORD_FILE = "checkpoint.json"
RECORD_SCHEMA = "argan-checkpoint/1"
GENERATOR_FILE = "generator.safetensors"
TRAINING_FILE = "training.safetensors"

# What commit_checkpoint writes: IMAGES-ATTEMPT-TOKEN and a file. Whatever else lies there is not ours.
OUR_FILE = re.compile(
    r"(?P<checkpoint>checkpoints/\d{12,}-(?P<attempt>\d+)-[0-9a-f]{8})/"
    rf"({re.escape(RECORD_FILE)}|{re.escape(GENERATOR_FILE)}|{re.escape(TRAINING_FILE)})"
)


class Pointer(NamedTuple):
    """The content of latest.json and the version it was read at (None: it is not there yet)."""

    attempt: int
    checkpoints: list[dict[str, Any]]  # newest first, each with ENTRY_FIELDS
    version: str | None


class Found(NamedTuple):
    """A sound checkpoint and its entry in the pointer (ENTRY_FIELDS)."""

    entry: dict[str, Any]
    snapshot: Snapshot


def read_pointer(run: Storage) -> Pointer:
    """Raises DataError where it is damaged or of another schema."""
    try:
        data, version = run.read_versioned(POINTER)
    except MissingError:
        return Pointer(0, [], None)
    try:
        content = json.loads(data)
        schema = content["schema"]
        checkpoints = [{name: entry[name] for name in ENTRY_FIELDS} for entry in content["checkpoints"]]
        pointer = Pointer(int(content["attempt"]), checkpoints, version)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{run.uri}/{POINTER} is damaged: put it right, or delete it to begin again ({error})"
        ) from error
    if schema != POINTER_SCHEMA:
        raise DataError(f"{run.uri}/{POINTER} has schema {schema!r}, not {POINTER_SCHEMA!r}")
    return pointer


def commit_checkpoint(
    run: Storage,
    saved: Snapshot,
    *,
    config: Config,
    device: torch.device,
    attempt: int,
    keep: int,
    keep_too: Collection[int] = (),
) -> None:
    """Writes a checkpoint and makes it the latest; older ones beyond `keep` go, but for those at the images of
    `keep_too`. Raises ConflictError for a lost lease.

    `config` and `device` are those that trained it.
    """
    _owned_pointer(run, attempt)  # else all that follows would be written in vain
    # The token keeps two writers of one attempt apart: lease.json may have been deleted by hand.
    path = f"checkpoints/{saved.images_seen:012d}-{attempt}-{uuid.uuid4().hex[:8]}"
    tensors = {
        GENERATOR_FILE: safetensors.torch.save(saved.generator),
        TRAINING_FILE: safetensors.torch.save(saved.training),
    }
    record = {
        "schema": RECORD_SCHEMA,
        "images_seen": saved.images_seen,
        "attempt": attempt,
        "config": to_dict(config),
        "versions": versions(),
        "platform": platform_facts(device),
        "sha256": {name: sha256(data) for name, data in tensors.items()},
    }
    record_data = json.dumps(record, indent=2).encode()
    for name, data in {**tensors, RECORD_FILE: record_data}.items():
        run.write_bytes(f"{path}/{name}", data)
    entry = {"images_seen": saved.images_seen, "path": path, "sha256": sha256(record_data)}

    def pointed_to(checkpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # What is at or past this point was found broken, or came late: else this attempt would have gone on from it.
        older = [item for item in checkpoints if item["images_seen"] < saved.images_seen]
        best = [item for item in older[keep - 1 :] if item["images_seen"] in keep_too]
        return [entry, *older[: keep - 1], *best]

    _repoint(run, pointed_to, attempt)


def roll_back(run: Storage, images_seen: int, *, attempt: int) -> None:
    """Drops the checkpoints past the one at `images_seen`.

    Raises MissingError, and changes nothing, where there is none or it is damaged; ConflictError for a lost lease.
    """

    def pointed_to(checkpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [item for item in checkpoints if item["images_seen"] <= images_seen]
        if not kept or kept[0]["images_seen"] != images_seen:
            raise MissingError(f"{run.uri} has no checkpoint at {images_seen:,} images")
        try:
            _read_checkpoint(run.child(kept[0]["path"]), kept[0]["sha256"], generator_only=False)
        except DataError as error:
            raise MissingError(f"the checkpoint of {run.uri} at {images_seen:,} images is damaged: {error}") from error
        return kept

    _repoint(run, pointed_to, attempt)


def _owned_pointer(run: Storage, attempt: int) -> Pointer:
    pointer = read_pointer(run)
    if pointer.attempt > attempt:  # lease.json may have been deleted by hand
        raise overtaken(run, attempt, by=pointer.attempt)
    require_latest(run, attempt)  # after the pointer was read: who comes later changes it, and no write on it succeeds
    return pointer


def _repoint(run: Storage, pointed_to: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], attempt: int) -> None:
    """Has the pointer name what `pointed_to` makes of the checkpoints that it names now."""
    while True:
        pointer = _owned_pointer(run, attempt)
        checkpoints = pointed_to(pointer.checkpoints)
        content = {"schema": POINTER_SCHEMA, "attempt": attempt, "checkpoints": checkpoints}
        try:
            run.write_if(POINTER, json.dumps(content, indent=2).encode(), version=pointer.version)
            break
        except ConflictError:
            continue  # one that was thought dead had just written, or our own answer was lost: look again
    _delete_uncommitted(run, {item["path"] for item in checkpoints}, attempt)


def _delete_uncommitted(run: Storage, kept: set[str], attempt: int) -> None:
    """Deletes what the pointer does not name: dropped checkpoints, and files of those who died before committing.

    What a later attempt is writing stays, and so does all that no attempt has written.
    """
    for file in list(run.list("checkpoints/")):
        ours = OUR_FILE.fullmatch(file.path)
        if ours and ours["checkpoint"] not in kept and int(ours["attempt"]) <= attempt:
            run.delete(file.path)


def load_checkpoint(run: Storage, *, warn: Callable[[str], None]) -> Snapshot | None:
    """The newest sound checkpoint, or None where none was committed yet.

    A broken one is named through `warn` and the one before it is taken. Raises DataError when there are some but none
    is sound: to begin again in silence would throw a run away. UserError for a sound one of another schema.
    """
    found = find_checkpoint(run, warn=warn)
    return found and found.snapshot


def find_checkpoint(
    run: Storage, *, warn: Callable[[str], None], generator_only: bool = False, at_images: int | None = None
) -> Found | None:
    """As `load_checkpoint`, with the entry of the pointer that it was found by; that at `at_images` and no other, where
    that is given.
    """
    pointer = read_pointer(run)
    checkpoints = pointer.checkpoints
    if at_images is not None:
        checkpoints = [entry for entry in checkpoints if entry["images_seen"] == at_images]
        if not checkpoints:
            raise MissingError(f"{run.uri} has no checkpoint at {at_images:,} images")
    if checkpoints and pointer.attempt == EXPORTED and not generator_only:
        raise UserError(f"{run.uri} was exported to sample from: it holds no {TRAINING_FILE}, and cannot be trained on")
    for entry in checkpoints:
        try:
            folder = run.child(entry["path"])
            return Found(entry, _read_checkpoint(folder, entry["sha256"], generator_only=generator_only))
        except (DataError, MissingError) as error:
            if read_pointer(run).version != pointer.version:  # a run in training has dropped it for a newer one
                return find_checkpoint(run, warn=warn, generator_only=generator_only, at_images=at_images)
            if at_images is not None:
                raise DataError(
                    f"the checkpoint of {run.uri} at {at_images:,} images is damaged, others may not be: {error}"
                ) from error
            warn(f"checkpoint at {entry['images_seen']} images is broken, going back to the one before: {error}")
    if checkpoints:
        raise DataError(
            f"none of the {len(checkpoints)} checkpoints of {run.uri} is sound; delete {POINTER} to begin again"
        )
    return None


def _read_checkpoint(folder: Storage, digest: str, *, generator_only: bool) -> Snapshot:
    """The record by the pointer's hash, then the tensors by the record's."""
    record = json.loads(_read_verified(folder, RECORD_FILE, digest))
    if record["schema"] != RECORD_SCHEMA:
        # Whole, but another version's: nothing to fall back from, or its successors would be dropped and deleted.
        raise UserError(f"{folder.uri}/{RECORD_FILE} has schema {record['schema']!r}, not {RECORD_SCHEMA!r}")
    wanted = (GENERATOR_FILE,) if generator_only else (GENERATOR_FILE, TRAINING_FILE)
    tensors = {name: safetensors.torch.load(_read_verified(folder, name, record["sha256"][name])) for name in wanted}
    return Snapshot(record["images_seen"], tensors[GENERATOR_FILE], tensors.get(TRAINING_FILE, {}))


def _read_verified(folder: Storage, name: str, digest: str) -> bytes:
    data = folder.read_bytes(name)
    if sha256(data) != digest:
        raise DataError(f"{folder.uri}/{name} is not what was committed ({len(data)} bytes)")
    return data
