"""Fixtures for all tests: one real S3 server for the whole session, started when the first test asks for it."""

import os
import sys
from collections.abc import Iterator

import pytest

from cluster.local_s3 import LocalS3

# Ray's controller takes one report a poll, every two seconds: at ticks of half a second a run would wait for it.
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.1")
if "PYTEST_XDIST_WORKER" in os.environ:  # tests run side by side (pytest -n 2)
    # Ray's workers are nicer than a test that only computes, and would wait for it until somebody gives them up.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Each side has one processor; threads of torch that wait for each other's would take more than they bring.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)  # a failure can be had again, whichever tests ran before
    if item.get_closest_marker("gpu") is None:
        return
    import torch  # others do without

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalS3]:
    with LocalS3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_server: LocalS3, monkeypatch: pytest.MonkeyPatch) -> LocalS3:
    """The server, with the environment of this test (and of its subprocesses) pointing at it."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server
