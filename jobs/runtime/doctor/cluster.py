"""All that hangs on the nodes, once they have told what they have: nothing more is asked of them."""

from argan.config import Config
from jobs.runtime.doctor.clocks import check_node_clocks
from jobs.runtime.doctor.finding import Finding
from jobs.runtime.doctor.fit import check_gpus, check_nodes, check_workers
from jobs.runtime.doctor.installed import Wanted, check_node_versions
from jobs.runtime.doctor.nodes import Node
from jobs.runtime.doctor.room import check_disks, check_memory
from jobs.runtime.workers import Workers


def check_cluster(
    nodes: list[Node], *, config: Config | None, workers: Workers, wanted: Wanted, joined: bool
) -> list[Finding]:
    """`joined`: the nodes are other machines than this one, or may be."""
    findings = check_nodes(nodes)
    if joined:
        findings += check_node_versions(wanted, nodes) + check_node_clocks(nodes)
    findings += check_gpus(config, nodes) + check_workers(workers, config, nodes)
    if config is not None:
        findings += check_memory(config, workers, nodes)
    return findings + check_disks(config, nodes)
