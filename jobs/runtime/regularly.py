"""A look every so often in the background, while something else goes on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def regularly(look: Callable[[], None], interval_s: float) -> Iterator[None]:
    """While the block lasts, `look` is called every `interval_s` seconds, in a thread of its own. It should not raise:
    that would show its traceback, and be the last look.

    A block that ends well waits for a look that has begun; one that is left by an error, perhaps because storage is
    away, does not.
    """
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(interval_s):
            look()

    thread = threading.Thread(target=follow, name=look.__qualname__, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
    thread.join()
