"""Does the run fit in memory, shared memory and on the disks of the nodes that its workers land on?

A worker on a processor is a process of its own, its state twice (rank 0 copies it for a checkpoint) and a step; one on
a GPU has state and step there. Measured on one worker of small-64 on two cores: 0.8 GiB at most, where the estimate is
0.9 (torch 2.13, Ray 2.60). Judging the run as it trains, which rank 0 does, took .7 GiB more on scenes and .6 on photos
without truth. What CUDA adds is a guess from documentation, not measured.
"""

from argan.config import Config
from argan.errors import UserError
from argan.training.memory import Memory, worker_memory
from jobs.runtime.doctor.finding import Finding, fault, ok, warning
from jobs.runtime.doctor.nodes import Node
from jobs.runtime.trainer import scaling
from jobs.runtime.workers import Workers

GIB = 1 << 30
PROCESS_BYTES = 7 * GIB // 10  # Python, torch and Ray in a worker
JUDGING_BYTES = 3 * GIB // 4  # EfficientNet's features, estimators and pairs, in the memory of one of the nodes
CUDA_PROCESS_BYTES = 3 * GIB  # the same with CUDA's libraries
CUDA_CONTEXT_BYTES = 3 * GIB // 2  # on the GPU: context, workspaces, NCCL's buffers
HEAD_BYTES = 2 * GIB  # Ray's own processes and the driver, on the head
SHARED_BYTES_EACH = GIB // 4  # of /dev/shm: NCCL's rings between the GPUs of a node, Ray's object store
FREE_DISK_BYTES = GIB  # logs, and what Ray spills
FULLEST_DISK = 0.95  # from there on Ray makes no objects


def check_memory(config: Config, workers: Workers, nodes: list[Node]) -> list[Finding]:
    """Every node and GPU with too little; one line with the estimate where none has."""
    try:
        asked = scaling(workers, [node.of_ray for node in nodes])
    except UserError:
        return []  # check_workers tells
    images = most_images(config, workers.minimum)
    need = worker_memory(config, images)
    cpus_each = int(asked.resources_per_worker["CPU"])
    judging = JUDGING_BYTES if config.schedule.judging_share else 0
    on_gpu, on_host = need_of_worker(need, use_gpu=asked.use_gpu)
    what = f"{config.preset} with {images} images a worker"
    advice = "more workers, a smaller --data.batch_images, or larger nodes"
    findings = []
    for node in nodes:
        places = int(node.of_ray["Resources"].get("CPU", 0)) // cpus_each
        num_here = min(places, node.gpus if asked.use_gpu else places, workers.maximum)
        if asked.use_gpu and num_here and node.gpu and 0 < node.gpu.memory_bytes < on_gpu:
            found = f"{what} needs about {gib(on_gpu)} of a GPU, {node.name}'s has {gib(node.gpu.memory_bytes)}"
            findings.append(fault("memory", found, advice))
        if node.machine is None or not num_here:
            continue
        needed = num_here * on_host + judging + HEAD_BYTES * node.is_head
        has = f"{what}: {num_here} of them need about {gib(needed)}, {node.name} has {gib(node.machine.memory_bytes)}"
        if needed > node.machine.memory_bytes:
            findings.append(fault("memory", has, advice))
        elif needed > node.machine.available_bytes:
            found = f"{has}, of which {gib(node.machine.available_bytes)} are free"
            findings.append(warning("memory", found, "end what else runs there"))
        findings += check_shared_memory(node, num_here, use_gpu=asked.use_gpu)
    where = f"{gib(on_gpu)} of a GPU and {gib(on_host)} of memory" if asked.use_gpu else f"{gib(on_host)} of memory"
    return findings or [ok("memory", f"{what} needs about {where} each: there is enough")]


def most_images(config: Config, num_workers: int) -> int:
    """The largest share of a batch that a worker has."""
    lanes = -(-config.data.num_lanes // num_workers)
    return lanes * config.data.batch_images // config.data.num_lanes


def need_of_worker(need: Memory, *, use_gpu: bool) -> tuple[int, int]:
    """Bytes on its GPU, and in the memory of its node."""
    if use_gpu:
        return CUDA_CONTEXT_BYTES + need.state_bytes + need.step_bytes, CUDA_PROCESS_BYTES + need.state_bytes
    return 0, PROCESS_BYTES + 2 * need.state_bytes + need.step_bytes


def check_shared_memory(node: Node, num_workers: int, *, use_gpu: bool) -> list[Finding]:
    """What is wrong with a node's /dev/shm; containers have 64 MB unless told otherwise."""
    assert node.machine is not None  # the caller has looked
    free, needed = node.machine.shm_bytes, num_workers * SHARED_BYTES_EACH
    if free is None or free >= needed:
        return []
    found = f"{node.name} has {gib(free)} of /dev/shm free for {num_workers} workers, {gib(needed)} are wanted"
    advice = "mount a larger one: an emptyDir with medium: Memory, or docker run --shm-size"
    if use_gpu and num_workers > 1:
        return [fault("memory", f"{found}: NCCL ends without it", advice)]
    return [warning("memory", f"{found}: Ray's object store goes to disk", advice)]


def check_disks(config: Config | None, nodes: list[Node]) -> list[Finding]:
    """Every disk with too little; one line where none has."""
    cache_bytes = config.compute.cache_bytes if config else 0
    findings, frees = [], []
    for node in nodes:
        if node.machine is None:
            continue
        free, folder = node.machine.free_bytes, node.machine.disk_folder
        frees.append(free)
        if free < cache_bytes + FREE_DISK_BYTES:
            found = f"{node.name} has {gib(free)} free at {folder}, the cache may take {gib(cache_bytes)}"
            advice = (
                f"free some, or a smaller --compute.cache_bytes: {gib(FREE_DISK_BYTES)} beyond it are kept for logs"
            )
            findings.append(fault("disk", found, advice))
        elif free < (1 - FULLEST_DISK) * node.machine.disk_bytes:
            found = f"the disk at {folder} of {node.name} is more than {FULLEST_DISK:.0%} full"
            findings.append(warning("disk", found, "free some: Ray makes no objects on such a disk"))
    if findings or not frees:
        return findings
    cache = f", the cache may take {gib(cache_bytes)}" if cache_bytes else ""
    return [ok("disk", f"{gib(min(frees))} free{cache}")]


def gib(size_bytes: float) -> str:
    return f"{size_bytes / GIB:,.1f} GiB"
