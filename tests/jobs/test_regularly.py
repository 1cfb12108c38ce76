"""A look every so often: who ends well waits for it, who fails does not."""

import threading
import time

import pytest

from jobs.runtime.regularly import regularly


def test_a_block_that_ends_well_waits_for_the_look_that_has_begun() -> None:
    begun, looked = threading.Event(), []

    def look() -> None:
        begun.set()
        time.sleep(0.2)
        looked.append(1)

    with regularly(look, 0.01):
        assert begun.wait(30)
    seen = len(looked)
    assert seen >= 1
    time.sleep(0.3)
    assert len(looked) == seen  # and no other begins


def test_a_block_that_fails_does_not_wait() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def look() -> None:
        begun.set()
        may_end.wait(60)

    def fails() -> None:
        with regularly(look, 0.01):
            assert begun.wait(30)
            raise RuntimeError("storage is away")

    start_s = time.monotonic()
    with pytest.raises(RuntimeError, match="storage"):
        fails()
    assert time.monotonic() - start_s < 50
    may_end.set()
