"""The packed set at --data: is it whole, is it what its manifest says, and does it fit the run?"""

import hashlib
import time

from argan.config import Config
from argan.data.manifest import Manifest, ShardInfo, read_manifest
from argan.errors import StorageError, UserError
from argan.storage import Storage
from argan.storage.probe import impatient
from jobs.runtime.doctor.finding import Finding, fault, ok, warning

PIECE_BYTES = 8 << 20  # one ranged read
SLOW_S = 10.0
PACK_AGAIN = "run the same jobs/pack.py again: it makes anew what is missing or of another size"
DELETE_AND_PACK = "delete that file and run the same jobs/pack.py again: it makes it anew"


def check_set(uri: str, config: Config | None) -> list[Finding]:
    """Sizes of all shards, all bytes of the smallest, and, with a configuration, resolution and lanes."""
    data = impatient(uri)
    try:
        manifest = read_manifest(data)
        sizes = {entry.path: entry.size_bytes for entry in data.list("shards/")}
    except UserError as error:
        return [fault("set", str(error), "give what jobs/pack.py has finished, or run it again: it goes on")]
    wrong = [shard for shard in manifest.shards if sizes.get(shard.name) != shard.size_bytes]
    findings = [check_sizes(uri, manifest, wrong, sizes)]
    right = [shard for shard in manifest.shards if shard.num_samples and shard not in wrong]
    if right:
        findings.append(check_bytes(data, min(right, key=lambda shard: shard.size_bytes)))
    return findings if config is None else [*findings, *check_fit(uri, manifest, config)]


def check_sizes(uri: str, manifest: Manifest, wrong: list[ShardInfo], sizes: dict[str, int]) -> Finding:
    """Whether each shard is there with its size."""
    if not wrong:
        photos = f"{manifest.num_samples:,} photos of {manifest.resolution} px"
        return ok("set", f"{uri}: {photos}, all of {len(manifest.shards)} shards there with their sizes")
    size = sizes.get(wrong[0].name)
    found = "missing" if size is None else f"{size:,} bytes instead of {wrong[0].size_bytes:,}"
    more = f", and {len(wrong) - 1} more are not right" if len(wrong) > 1 else ""
    return fault("set", f"{uri}/{wrong[0].name} is {found}{more}", PACK_AGAIN)


def check_bytes(data: Storage, shard: ShardInfo) -> Finding:
    """Whether a shard's bytes are those that were packed, as far as they come in SLOW_S."""
    digest = hashlib.sha256()
    ends_at = time.monotonic() + SLOW_S
    try:
        for start in range(0, shard.size_bytes, PIECE_BYTES):
            if time.monotonic() > ends_at:
                found = f"{start:,} of the {shard.size_bytes:,} bytes of {shard.name} came in {SLOW_S:g} s"
                return warning(
                    "set", f"{found}: it is not verified", "bring the set nearer, or set compute.cache_bytes"
                )
            digest.update(data.read_bytes(shard.name, start, min(start + PIECE_BYTES, shard.size_bytes)))
    except StorageError as error:
        return fault("set", str(error), PACK_AGAIN)
    if digest.hexdigest() != shard.sha256:
        return fault("set", f"{data.uri}/{shard.name} is not the file whose sha256 the manifest gives", DELETE_AND_PACK)
    return ok("set", f"{shard.name} read whole, {shard.size_bytes:,} bytes: its sha256 is the manifest's")


def check_fit(uri: str, manifest: Manifest, config: Config) -> list[Finding]:
    """Whether the run takes this set: its resolution, and a sample for each lane."""
    findings = []
    if manifest.resolution != config.resolution:
        findings.append(
            fault(
                "set",
                f"{uri} is packed at {manifest.resolution} px, {config.preset} wants {config.resolution} px",
                f"pack with --resolution {config.resolution}, or take another preset",
            )
        )
    lanes = config.data.num_lanes
    if manifest.num_samples < lanes:
        found = f"{uri} has {manifest.num_samples} samples, fewer than data.num_lanes = {lanes}"
        findings.append(fault("set", found, "pack more photos, or lower --data.num_lanes"))
    return findings or [ok("set", f"fits {config.preset}: {config.resolution} px, a sample for each of {lanes} lanes")]
