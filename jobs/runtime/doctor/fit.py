"""Is the cluster there, and do the workers that were asked for fit on it, with GPUs that compute?"""

from argan.config import Config
from argan.errors import UserError
from argan.training.number_formats import crawls
from jobs.runtime.doctor.finding import Finding, fault, ok, warning
from jobs.runtime.doctor.nodes import Node
from jobs.runtime.trainer import scaling
from jobs.runtime.workers import Workers

FULL = "full-"  # presets that are sized for GPUs


def check_nodes(nodes: list[Node]) -> list[Finding]:
    """Whether each node answers, has our code, and sees --data and --out as this machine does."""
    cpus = sum(node.of_ray["Resources"].get("CPU", 0) for node in nodes)
    gpus = sum(node.gpus for node in nodes)
    findings = [ok("ray", f"answers; nodes {len(nodes)}, CPU {cpus:g}, GPU {gpus}")]
    for node in nodes:
        if node.problem:
            advice = "is the node alive, and this code on it? `ray job submit --working-dir .` or the image brings it"
            findings.append(fault("nodes", f"{node.name}: {node.problem}", advice))
        for flag, why in node.unseen.items():
            advice = (
                "every node needs the credentials and the endpoint, and a local path must be a folder that all mount"
            )
            findings.append(fault("nodes", f"{node.name} cannot use {flag}: {why}", advice))
    return findings


def check_gpus(config: Config | None, nodes: list[Node]) -> list[Finding]:
    """Whether every node's GPU is seen by torch and computes, and NCCL is there for the workers to talk by."""
    having = [node for node in nodes if node.gpus]
    if not having:
        if config is not None and config.preset.startswith(FULL):
            advice = "on processors it takes weeks: take a small-* preset there, or join a cluster (RAY_ADDRESS)"
            return [warning("gpu", f"none, and {config.preset} is sized for GPUs", advice)]
        if config is not None and (names := [node.name for node in nodes if crawling(config, node)]):
            found = f"none, and the processor of {', '.join(names)} has no units for bf16: ten times as slow, perhaps"
            return [warning("gpu", found, "--compute.precision fp32, which makes another run")]
        return [ok("gpu", "none: it trains on processors")]
    findings = []
    for node in having:
        if node.gpu is None:
            advice = "is another job on it? A training would wait until it has ended"
            findings.append(warning("gpu", f"{node.name}: none of its {node.gpus} came free in time", advice))
        elif node.gpu.problem:
            advice = (
                "a CUDA build of torch (README: TORCH_INDEX), a driver that it knows, and does nvidia-smi see the GPU?"
            )
            findings.append(fault("gpu", f"{node.name}: {node.gpu.problem}", advice))
        elif not node.gpu.has_nccl:
            findings.append(fault("gpu", f"{node.name}: torch has no NCCL", "a CUDA build of torch brings it"))
    names = sorted({node.gpu.name for node in having if node.gpu and not node.gpu.problem})
    return findings or [ok("gpu", f"{', '.join(names)}: computes on {len(having)} nodes, NCCL is there")]


def crawling(config: Config, node: Node) -> bool:
    return node.machine is not None and crawls(config, has_bf16=node.machine.has_bf16)


def check_workers(workers: Workers, config: Config | None, nodes: list[Node]) -> list[Finding]:
    """Whether Ray can place them: the job would wait for ever."""
    try:
        if config is not None:
            workers.require_lanes(config.data.num_lanes)
    except UserError as error:
        return [fault("workers", str(error), "fewer workers; data.num_lanes is part of the run's name")]
    try:
        asked = scaling(workers, [node.of_ray for node in nodes])
    except UserError as error:
        return [fault("workers", str(error), "fewer --num-workers or --cpus-per-worker, or more nodes")]
    each = ", ".join(f"{number:g} {name}" for name, number in asked.resources_per_worker.items())
    return [ok("workers", f"{asked.num_workers} with {each} each have their places")]
