"""Packing on Ray: the shards that are missing, a task each, as many at once as there are processors."""

from collections.abc import Mapping
from itertools import islice

from argan.data.packing import PackedShard, Plan, pack_shard
from argan.data.shard_files import misfit
from argan.errors import UserError
from argan.storage import Storage
from jobs.runtime.cli import Progress, say
from jobs.runtime.session import start_ray

MOST_DEATHS = 20  # of workers, in a job
NOTICE_S = 120.0  # without a shard: somebody is told


def pack_missing(
    plan: Plan, out: Storage, finished: Mapping[int, PackedShard], num_workers: int | None
) -> dict[int, PackedShard]:
    """All shards by index: those finished before, and the others made now. At most `num_workers` at once (None: all
    processors). Raises UserError where workers died too often, and where they wrote to another place than `out`.
    """
    records = dict(finished)
    if len(records) == plan.num_shards:
        return records
    _make_missing(plan, out, records, num_workers)
    if lost := misfit(out, {record.shard.name: record.shard.size_bytes for record in records.values()}):
        raise UserError(f"a worker has packed what is not here: {lost}: is OUT_URI a folder that all nodes share?")
    return records


def _make_missing(plan: Plan, out: Storage, records: dict[int, PackedShard], num_workers: int | None) -> None:
    """Puts the records of the shards made into `records`."""
    finished = frozenset(records)
    missing = (job for job in plan.shard_jobs() if job.index not in finished)
    done = sum(record.num_items for record in records.values())
    with start_ray(num_cpus=num_workers):
        import ray  # it reads its environment at import: start_ray has set it by now
        from ray.exceptions import ObjectLostError  # a record that was on a node that went

        from jobs.runtime.lost import LOST

        progress, deaths = Progress(plan.terms.num_items, "photos", start=done), 0
        # Not retried by Ray, which does it for ever, and without a word, where memory was wanting.
        task = ray.remote(pack_shard).options(max_retries=0)
        num_at_once = num_workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        running = {task.remote(job, out): job for job in islice(missing, num_at_once)}
        while running:
            finds, _ = ray.wait(list(running), timeout=NOTICE_S)
            if not finds:
                say(f"nothing came for {NOTICE_S:g} s: are the cluster's processors busy, or its nodes not there yet?")
                continue
            [ready] = finds
            job = running.pop(ready)
            try:
                record = ray.get(ready)
            except (*LOST, ObjectLostError) as death:
                deaths += 1
                if deaths > MOST_DEATHS:
                    why = f"the last time with {type(death).__name__}: the same command goes on"
                    raise UserError(f"{deaths} workers died, {why}") from death
                say(f"a worker died ({type(death).__name__}), its shard {job.index} is made again")
                running[task.remote(job, out)] = job
                continue
            records[record.index] = record
            running |= {task.remote(job, out): job for job in islice(missing, 1)}
            done += record.num_items
            progress.show(done, f"{len(records)}/{plan.num_shards} shards")
    progress.close(done, f"{len(records)}/{plan.num_shards} shards")
