"""Checkpoints in a run's folder: written aside, then committed by one conditional write of `latest.json`.

`latest.json` lists the good checkpoints, newest first, with the SHA-256 of every file. Loading takes the newest whose
bytes are what was committed, and says so when that is not the first. An attempt that has lost its lease is stopped by
its driver; a worker of it that lives on cannot commit any more once the new owner has.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import safetensors.torch

from argan.errors import ConflictError, DataError, MissingError
from argan.storage import Storage
from argan.training.checkpoint import Snapshot

POINTER = "latest.json"
GENERATOR_FILE = "generator.safetensors"
TRAINING_FILE = "training.safetensors"


class Pointer(NamedTuple):
    """The content of latest.json and the version it was read at (None: it is not there yet)."""

    attempt: int
    checkpoints: list[dict[str, Any]]  # newest first: images_seen, path, sha256 {file: hex}
    version: str | None


def read_pointer(run: Storage) -> Pointer:
    try:
        data, version = run.read_versioned(POINTER)
    except MissingError:
        return Pointer(0, [], None)
    try:
        content = json.loads(data)
        return Pointer(content["attempt"], content["checkpoints"], version)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{run.uri}/{POINTER} is damaged: put it right, or delete it to begin again ({error})"
        ) from error


def commit_checkpoint(run: Storage, saved: Snapshot, *, attempt: int, keep: int) -> None:
    """Writes a checkpoint and makes it the latest; older ones beyond `keep` go. Raises ConflictError for a lost
    lease.
    """
    pointer = read_pointer(run)
    if pointer.attempt > attempt:
        raise ConflictError(
            f"{run.uri} is trained by attempt {pointer.attempt} now; this is attempt {attempt} and it stops"
        )
    # The token keeps two writers of one attempt apart: a worker that was thought dead, and the one in its place.
    path = f"checkpoints/{saved.images_seen:012d}-{attempt}-{uuid.uuid4().hex[:8]}"
    files = {
        GENERATOR_FILE: safetensors.torch.save(saved.generator),
        TRAINING_FILE: safetensors.torch.save(saved.training),
    }
    for name, data in files.items():
        run.write_bytes(f"{path}/{name}", data)
    entry = {
        "images_seen": saved.images_seen,
        "path": path,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    # What is at or past this point was found broken, or this attempt would have gone on from it.
    older = [item for item in pointer.checkpoints if item["images_seen"] < saved.images_seen]
    kept = [entry, *older[: keep - 1]]
    content = {"attempt": attempt, "checkpoints": kept}
    run.write_if(POINTER, json.dumps(content, indent=2).encode(), version=pointer.version)
    _delete_uncommitted(run, {item["path"] for item in kept}, attempt)


def _delete_uncommitted(run: Storage, kept: set[str], attempt: int) -> None:
    """Deletes what the pointer does not name: dropped checkpoints, and files of those who died before committing.

    What a later attempt is writing stays.
    """
    for file in list(run.list("checkpoints/")):
        path = file.path.rpartition("/")[0]
        if path not in kept and int(path.split("-")[1]) <= attempt:
            run.delete(file.path)


def load_checkpoint(run: Storage, *, warn: Callable[[str], None], generator_only: bool = False) -> Snapshot | None:
    """The newest sound checkpoint, or None where none was committed yet.

    A broken one is named through `warn` and the one before it is taken. Raises DataError when there are some but none
    is sound: to begin again in silence would throw a run away.
    """
    checkpoints = read_pointer(run).checkpoints
    for entry in checkpoints:
        try:
            generator = _read_tensors(run, entry, GENERATOR_FILE)
            training = {} if generator_only else _read_tensors(run, entry, TRAINING_FILE)
        except (DataError, MissingError) as error:
            warn(f"checkpoint at {entry['images_seen']} images is broken, going back to the one before: {error}")
            continue
        return Snapshot(entry["images_seen"], generator, training)
    if checkpoints:
        raise DataError(
            f"none of the {len(checkpoints)} checkpoints of {run.uri} is sound; delete {POINTER} to begin again"
        )
    return None


def _read_tensors(run: Storage, entry: dict[str, Any], name: str) -> dict[str, Any]:
    path = f"{entry['path']}/{name}"
    data = run.read_bytes(path)
    if hashlib.sha256(data).hexdigest() != entry["sha256"][name]:
        raise DataError(f"{run.uri}/{path} is not what was committed ({len(data)} bytes)")
    return safetensors.torch.load(data)
