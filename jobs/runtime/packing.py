"""Packing on Ray: the shards that are missing, a task each, as many at once as there are processors."""

from collections.abc import Mapping
from itertools import islice

from argan.data.packing import PackedShard, Plan, pack_shard
from argan.storage import Storage
from jobs.runtime.cli import Progress
from jobs.runtime.session import start_ray


def pack_missing(
    plan: Plan, out: Storage, finished: Mapping[int, PackedShard], num_workers: int | None
) -> dict[int, PackedShard]:
    """All shards by index: those finished before, and the others made now. At most `num_workers` at once (None: all
    processors).
    """
    records = dict(finished)
    if len(records) == plan.num_shards:
        return records
    missing = (job for job in plan.shard_jobs() if job.index not in finished)
    done = sum(record.num_items for record in records.values())
    with start_ray(num_cpus=num_workers):
        import ray  # it reads its environment at import: start_ray has set it by now

        progress = Progress(plan.terms.num_items, "photos", start=done)
        task = ray.remote(pack_shard)
        num_at_once = num_workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        running = [task.remote(job, out) for job in islice(missing, num_at_once)]
        while running:
            [ready], running = ray.wait(running)
            record = ray.get(ready)
            records[record.index] = record
            running += [task.remote(job, out) for job in islice(missing, 1)]
            done += record.num_items
            progress.show(done, f"{len(records)}/{plan.num_shards} shards")
    progress.close(done, f"{len(records)}/{plan.num_shards} shards")
    return records
