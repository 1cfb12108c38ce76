"""Two Ray nodes make a set. One is switched off for good, and the other finishes it alone. Run by hand:

python -m pytest tests/jobs/test_generate_nodes.py -m slow -s
"""

import os
import subprocess
from pathlib import Path

import pytest
from second_node import SecondNode
from test_generate import SET, content, generate, run_uri, undisturbed, wait_for_shards, words
from training_job import ROOT

from argan.storage import Storage, open_storage
from cluster.local_head import LocalHead

__all__ = ["run_uri", "undisturbed"]  # fixtures

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_node_that_goes_and_does_not_come_back(run_uri: str, undisturbed: Storage, tmp_path: Path) -> None:
    """Its worker waits for a place, which the other worker holds to the end."""
    out, log = open_storage(str(tmp_path / "set")), tmp_path / "log"
    with LocalHead(num_cpus=1) as head:
        second = SecondNode(head, tmp_path / "second")
        try:
            there = {**os.environ, **head.environment(), "RAY_ADDRESS": head.cluster_address}
            with log.open("w") as file:
                command = words("--run", run_uri, *SET, "--out", out.uri, "--num-workers", "2")
                process = subprocess.Popen(command, cwd=ROOT, env=there, stdout=file, stderr=file, text=True)
            wait_for_shards(out, 3, process)
            second.switch_off()
            assert process.wait(timeout=300) == 0, log.read_text()
        finally:
            second.switch_off()
            process.kill()
    assert "idle workers do the" in log.read_text()
    assert content(out) == content(undisturbed)
    assert generate("verify", out.uri).returncode == 0
