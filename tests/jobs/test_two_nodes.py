"""Two Ray nodes train one model. One is switched off in the middle of a step, and another takes its place."""

from pathlib import Path

import pytest
from second_node import SecondNode
from training_job import TWO, assert_same, ended, final, only_run, start, wait_for_images, wait_for_words

from argan.runs.folder import read_history
from argan.training.checkpoint import Snapshot
from cluster.local_head import LocalHead

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_a_node_that_dies_in_the_middle_of_a_step(
    scenes: str, undisturbed: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker on each: the one on the dead node was in the middle of a sum with the other. The weights at the end are
    those of a training that nobody disturbed, on one node. The other node comes late: nobody gives up meanwhile.
    """
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "5")
    out, log = str(tmp_path / "runs"), tmp_path / "log"
    nodes: list[SecondNode] = []
    with LocalHead(num_cpus=1) as head:
        try:
            for name, value in {**head.environment(), "RAY_ADDRESS": head.cluster_address}.items():
                monkeypatch.setenv(name, value)
            nodes.append(SecondNode(head, tmp_path / "second"))
            process = start(scenes, out, log, *TWO)
            wait_for_images(out, 240, process)
            lines = [" ".join(each.cmdline()) for each in nodes[0].processes()]
            assert sum("RayTrainWorker" in line for line in lines) == 1
            nodes[0].switch_off()
            wait_for_words(log, "no place for 2 workers: waiting for one", process, times=5)  # --max-failures is 3
            nodes.append(SecondNode(head, tmp_path / "third"))
            result = ended(process, log)
        finally:
            for node in nodes:
                node.switch_off()
    assert result.returncode == 0, result.stderr
    assert "workers failed, going on from" in result.stderr
    assert [row["images_seen"] for row in read_history(only_run(out))] == list(range(48, 961, 48))
    assert_same(final(only_run(out)), undisturbed)
