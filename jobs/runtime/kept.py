"""Tensors that are a pure function of their record, kept so that nobody computes them twice."""

import json
from collections.abc import Callable
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from argan.errors import DataError, MissingError
from argan.evaluation.protocol import protocol_hash
from argan.storage import Storage
from jobs.runtime.cli import say


def kept(cache: Storage, name: str, record: dict[str, Any], make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of NAME-HASH(record).safetensors in `cache`, or made and put there.

    Raises DataError, with the path, where the file is broken.
    """
    path = f"{name}-{protocol_hash(record)}.safetensors"
    try:
        tensors = load(cache.read_bytes(path))
        say(f"{name}: found in {cache.uri}/{path}")
        return tensors
    except MissingError:
        pass
    except SafetensorError as error:
        raise DataError(f"{cache.uri}/{path} is broken, delete it: {error}") from error
    tensors = make()
    cache.write_bytes(path, save(tensors, {"record": json.dumps(record)}))
    return tensors
