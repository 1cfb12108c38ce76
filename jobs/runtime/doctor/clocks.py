"""Clocks that should be the same: this machine's, the storage's, and the nodes'.

No clock decides who trains a run (argan/runs/lease.py): an owner who beats is never evicted by skew. But by as much as
clocks differ, a dead attempt's lease holds up the next one and --minutes end early; a skew of seconds means that nobody
sets the clocks, and at 15 minutes S3 refuses every request.
"""

from argan.storage.probe import Clock
from jobs.runtime.doctor.finding import Finding, fault, ok, warning
from jobs.runtime.doctor.nodes import Node

WARNING_S = 2.0
FAULT_S = 5.0

CHECK = "clocks"
ADVICE = (
    "let a time service set it (chrony, systemd-timesyncd): by so much a dead attempt's lease holds up the next one,"
    " and S3 refuses requests that are 15 minutes off"
)


def check_clock(clock: Clock, whose: str) -> Finding:
    """One clock against this machine's. What may be doubt is not held against it."""
    off_s = max(0.0, abs(clock.ahead_s) - clock.doubt_s)
    direction = "ahead of" if clock.ahead_s > 0 else "behind"
    found = f"{whose} is {abs(clock.ahead_s):.1f} s {direction} this machine's, give or take {clock.doubt_s:.1f} s"
    if off_s > FAULT_S:
        return fault(CHECK, found, ADVICE)
    if off_s > WARNING_S:
        return warning(CHECK, found, ADVICE)
    return ok(CHECK, found if clock.doubt_s < FAULT_S else f"{found}: too slow an answer to know it better")


def check_node_clocks(nodes: list[Node]) -> list[Finding]:
    """Every node's clock that is off; one line where none is."""
    findings = [check_clock(node.clock, f"the clock of {node.name}") for node in nodes if node.clock]
    bad = [finding for finding in findings if finding.verdict != "ok"]
    if bad or not findings:
        return bad
    return [ok(CHECK, f"the clocks of {len(findings)} nodes agree with this machine's")]
