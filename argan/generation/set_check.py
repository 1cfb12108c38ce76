"""Whether a set as a whole is what its terms say, once its shards were checked one by one."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from argan.data.shard_files import sha256, shard_number, tar_path
from argan.data.tar import TarWriter
from argan.data.tuple_manifest import make_tuple_manifest, manifest_faults
from argan.data.tuple_set import TupleShard
from argan.generation.check import Fault, ShardCheck
from argan.generation.recipe import Terms
from argan.storage import Storage


def set_faults(
    out: Storage, terms: Terms, checks: Mapping[int, ShardCheck], records: Callable[[], Iterable[TupleShard]]
) -> list[Fault]:
    """All that is wrong with a set whose shards were checked: with them, with what lies beside them, and with the
    manifest, where all `records()` are there to compare it with.
    """
    faults = [fault for _, check in sorted(checks.items()) for fault in check.faults]
    faults += _twins(checks)
    faults += surplus(out, terms)
    faults += strangers(out)
    if all(check.recorded_sha256 for check in checks.values()):
        with tempfile.TemporaryDirectory() as folder:
            make_tuple_manifest(Path(folder), terms.sha256, records())
            faults += [Fault(path, what) for path, what in manifest_faults(out, Path(folder))]
    return faults


def surplus(out: Storage, terms: Terms) -> Iterator[Fault]:
    """Shards beyond those of the terms: a reader of shards/*.tar would take them for the set's."""
    for entry in out.list("shards/"):
        number = shard_number(entry.path)
        if number is not None and number >= terms.recipe.num_shards:
            yield Fault(entry.path, f"one too many: the set has {terms.recipe.num_shards} shards")


def strangers(out: Storage) -> Iterator[Fault]:
    """Files among the shards that no set of ours has."""
    for entry in out.list("shards/"):
        if shard_number(entry.path) is None:
            yield Fault(entry.path, "no file of the set")


def _twins(checks: Mapping[int, ShardCheck]) -> Iterator[Fault]:
    """Shards that hold what another one should: doubled or swapped."""
    nobodys = (None, sha256(TarWriter().finish()))  # shards of which nothing was kept are all alike
    owners = {check.recorded_sha256: number for number, check in checks.items() if check.recorded_sha256 not in nobodys}
    for number, check in checks.items():
        owner = owners.get(check.found_sha256 or "", number)
        if check.faults and owner != number:
            yield Fault(tar_path(number), f"holds what {tar_path(owner)} should")
