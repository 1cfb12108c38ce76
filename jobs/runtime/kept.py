"""Tensors that are a pure function of their record, kept so that nobody computes them twice."""

import json
from collections.abc import Callable
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from argan.errors import ConflictError, DataError, MissingError
from argan.evaluation.protocol import protocol_hash
from argan.storage import Storage
from jobs.runtime.cli import say


def kept(cache: Storage, name: str, record: dict[str, Any], make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of NAME-HASH(record).safetensors in `cache`, or made and put there. Who makes them at the same time
    gets those that were put there first.

    Raises DataError, with the path, where the file is broken.
    """
    path = f"{name}-{protocol_hash(record)}.safetensors"
    try:
        tensors = _load(cache, path)
    except MissingError:
        tensors = make()
        try:
            cache.write_if(path, save(tensors, {"record": json.dumps(record)}), None)
        except ConflictError:  # made by somebody else meanwhile, and perhaps summed in another order
            tensors = _load(cache, path)
    else:
        say(f"{name}: found in {cache.uri}/{path}")
    return tensors


def _load(cache: Storage, path: str) -> dict[str, Tensor]:
    try:
        return load(cache.read_bytes(path))
    except SafetensorError as error:
        raise DataError(f"{cache.uri}/{path} is broken, delete it: {error}") from error
