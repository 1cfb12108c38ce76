"""Servers of this machine alone: past a proxy, and gone with whoever started them."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from cluster import local
from cluster.end_with_parent import ending_with_parent
from cluster.loopback import past_proxies

ROOT = Path(__file__).resolve().parents[2]
PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("no_proxy")
def test_without_a_proxy_nothing_is_set() -> None:
    assert past_proxies() == {}


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("before", ["", "example.com,10.0.0.0/8"])
def test_no_proxy_is_asked_for_this_machine_and_others_stay(monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    if before:
        monkeypatch.setenv("no_proxy", before)
    assert not urllib.request.proxy_bypass("127.0.0.1:2000")
    for name, value in past_proxies().items():
        monkeypatch.setenv(name, value)
    for host in ("127.0.0.1:2000", "localhost:2000", *(before and ["example.com"])):
        assert urllib.request.proxy_bypass(host)
    assert not urllib.request.proxy_bypass("elsewhere.org")
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == past_proxies()["no_proxy"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_what_ends_with_its_parent_does_so_by_kill_9_too() -> None:
    command = ending_with_parent(["sleep", "600"])
    program = f"import subprocess; print(subprocess.Popen({command}).pid, flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        end = time.monotonic() + 60
        while child.name() != "sleep":  # it has become the command
            assert time.monotonic() < end
            time.sleep(0.01)
        parent.kill()
    child.wait(30)


@pytest.mark.parametrize("ignored", [signal.SIGHUP, signal.SIGINT])
def test_what_nohup_ignores_stays_ignored(ignored: signal.Signals) -> None:
    before = {number: signal.getsignal(number) for number in local.ENDINGS}
    try:
        signal.signal(ignored, signal.SIG_IGN)
        local.listen()
        found = {number: signal.getsignal(number) for number in local.ENDINGS}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert found == {number: signal.SIG_IGN if number is ignored else local.leave for number in local.ENDINGS}
