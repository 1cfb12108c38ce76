"""Scenes or photos packed as jobs/pack.py packs them, without Ray, for tests that need a set."""

from argan.data.packing import commit, make_plan, pack_shard
from argan.data.sources import list_source
from argan.storage import Storage, open_storage


def pack_scenes(uri: str, source: str, *, resolution: int = 16, shard_samples: int = 7) -> Storage:
    """`source` is scenes:COUNT[@SEED], or a folder of photos."""
    out, listing = open_storage(uri), list_source(source)
    plan = make_plan(source, listing, resolution=resolution, seed=0, shard_samples=shard_samples, max_pixels=1_000_000)
    commit(plan, out, {job.index: pack_shard(job, out) for job in plan.shard_jobs()})
    return out
