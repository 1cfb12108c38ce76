"""A trained model on its own: a folder that loads as a run does, with one checkpoint and only what sampling needs."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import safetensors.torch
import torch

from argan.data.shard_files import sha256
from argan.errors import DataError, MissingError
from argan.runs.checkpoints import (
    EXPORTED,
    GENERATOR_FILE,
    OUR_FILE,
    POINTER,
    POINTER_SCHEMA,
    RECORD_FILE,
    find_checkpoint,
)
from argan.runs.folder import read_config, write_config
from argan.storage import Storage


class Exported(NamedTuple):
    """A model's checkpoint.json, and its SHA-256, by which everything made from the model names it."""

    record: dict[str, Any]
    sha256: str


def export_model(
    run: Storage, out: Storage, *, half: bool = False, at_images: int | None = None, warn: Callable[[str], None]
) -> Exported:
    """Copies the generator of the newest sound checkpoint, or of that at so many images, with its record and
    configuration.

    `half` rounds the weights to float16: half the size, another model with a record of its own. The configuration comes
    last: without one there is no run, and with one it is whole; what an export that was killed has left goes before.
    Raises MissingError where there is no run, DataError
    where it has no sound checkpoint.
    """
    config = read_config(run)
    found = find_checkpoint(run, warn=warn, generator_only=True, at_images=at_images)
    if found is None:
        raise DataError(f"the run at {run.uri} has no checkpoint yet")
    folder = run.child(found.entry["path"])
    try:
        record, weights = folder.read_bytes(RECORD_FILE), folder.read_bytes(GENERATOR_FILE)
    except MissingError:  # a run in training has dropped it for newer ones since it was found
        return export_model(run, out, half=half, at_images=at_images, warn=warn)
    if half:
        rounded = {name: value.to(torch.float16) for name, value in found.snapshot.generator.items()}
        weights = safetensors.torch.save(rounded)
        facts = json.loads(record)
        facts["sha256"] = {GENERATOR_FILE: sha256(weights)}
        facts["exported_from"] = found.entry["sha256"]
        record = json.dumps(facts, indent=2).encode()
    entry = {**found.entry, "sha256": sha256(record)}
    pointer = {"schema": POINTER_SCHEMA, "attempt": EXPORTED, "checkpoints": [entry]}
    out.write_bytes(f"{entry['path']}/{GENERATOR_FILE}", weights)
    out.write_bytes(f"{entry['path']}/{RECORD_FILE}", record)
    out.write_bytes(POINTER, json.dumps(pointer, indent=2).encode())
    for file in list(out.list("checkpoints/")):
        ours = OUR_FILE.fullmatch(file.path)
        if ours and ours["checkpoint"] != entry["path"]:
            out.delete(file.path)
    write_config(out, config)
    return Exported(json.loads(record), entry["sha256"])
