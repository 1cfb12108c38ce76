"""Sweeps that are killed on the way, all of them slow: pytest tests/jobs/test_sweep_killed.py -m slow"""

import os
import signal
import time
from pathlib import Path

import pytest
from sweep_process import PATIENCE_S, events, kill_process, run, start, wait_for

from cluster.local_head import LocalHead

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def undisturbed(scenes: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    run(scenes, out)
    return out


def test_killed_in_a_trial_the_same_command_comes_to_the_same_table(
    undisturbed: Path, scenes: str, tmp_path: Path
) -> None:
    with start(scenes, tmp_path) as driver:
        wait_for(driver, tmp_path, "proposed", 0)
        with start(scenes, tmp_path) as other:  # a second driver of the same sweep stops at once
            _, errors = other.communicate(timeout=PATIENCE_S)
        assert other.returncode == 1
        assert "is trained by process" in errors
        wait_for(driver, tmp_path, "rung", 0)
        time.sleep(5)  # on the way to the next rung
        driver.kill()
    run(scenes, tmp_path)
    assert events(tmp_path) == events(undisturbed)


@pytest.mark.timeout(1800)
def test_driver_worker_and_head_killed_and_the_same_table(undisturbed: Path, scenes: str, tmp_path: Path) -> None:
    """On a cluster that outlives the driver, until its head dies too."""
    with LocalHead() as head:
        environment = {**head.environment(), "RAY_ADDRESS": head.cluster_address}
        with start(scenes, tmp_path, **environment) as driver:
            wait_for(driver, tmp_path, "rung", 0)
            driver.kill()
        with start(scenes, tmp_path, **environment) as driver:
            kill_process(head, "ray::RayTrain")
            wait_for(driver, tmp_path, "proposed", 1)  # its first rung may be its last
            os.killpg(head.pid, signal.SIGKILL)
            driver.communicate(timeout=PATIENCE_S)
        assert driver.returncode != 0
    with LocalHead() as head:
        run(scenes, tmp_path, **head.environment(), RAY_ADDRESS=head.cluster_address)
    assert events(tmp_path) == events(undisturbed)


def test_a_lost_process_of_a_trial_is_replaced_and_the_sweep_goes_on(
    undisturbed: Path, scenes: str, tmp_path: Path
) -> None:
    """As when a node dies that held nothing but the trial's own process: the job does not end."""
    with LocalHead() as head:
        environment = {**head.environment(), "RAY_ADDRESS": head.cluster_address}
        with start(scenes, tmp_path, **environment) as driver:
            for event in ("proposed", "rung"):
                wait_for(driver, tmp_path, event, 0)
                kill_process(head, "ray::ImplicitFu")  # as much of its name as the kernel keeps
            _, errors = driver.communicate(timeout=PATIENCE_S)
    assert driver.returncode == 0, errors
    assert errors.count("was lost, another takes over") == 2
    assert events(tmp_path) == events(undisturbed)
