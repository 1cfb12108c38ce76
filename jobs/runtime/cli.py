"""What the jobs share at the command line: how they end, and the line that says how far they are."""

import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

from argan.errors import UserError
from argan.viewing.numbers import duration

STDOUT = 1
TTY_INTERVAL_S = 0.2
LOG_INTERVAL_S = 5.0
RATE_WINDOW_LINES = 50
ERASE_LINE = "\x1b[K"  # from the cursor on


def run_job(main: Callable[[], int | None]) -> NoReturn:
    """Runs a job and leaves with its exit code: 0, or 1 after a UserError's sentence, or 130 after Ctrl-C, SIGTERM or
    the end of its terminal, or 141 where nobody reads what it prints any more (`| head`).

    Anything else that goes wrong is a bug and shows its traceback.
    """
    # `ray job stop`, and a terminal that is closed: leases are released on the way out.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # `nohup` asks for that
            signal.signal(ending, signal.default_int_handler)
    try:
        code = main() or 0
        sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        code = 141
    except UserError as error:
        say(f"error: {error}")
        code = 1
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from what is finished", file=sys.stderr)
        code = 130
    sys.exit(code)


def _reader_is_gone() -> bool:
    """Whether it was our own output that broke; what is left of it goes nowhere then."""
    poll = select.poll()
    poll.register(STDOUT, 0)
    if not any(event & select.POLLERR for _, event in poll.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
    return True


class Progress:
    """One line that says how far a job is: rewritten on a terminal, a new one every few seconds elsewhere."""

    def __init__(
        self,
        total: int,
        unit: str,
        *,
        start: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`total` and `start` count `unit`s ("photos"); `start` were there before: they do not count as speed."""
        self.total = total
        self.unit = unit
        self._stream = stream or sys.stderr
        self._clock = clock
        self._rewrites = self._stream.isatty()
        self._seen = deque([(clock(), start)], maxlen=RATE_WINDOW_LINES)

    def found(self, count: int) -> None:
        """`count` more of what `show` is told next were there before: they do not count as speed."""
        self._seen = deque(((seen_s, done + count) for seen_s, done in self._seen), maxlen=RATE_WINDOW_LINES)

    def show(self, done: int, note: str = "", *, rate: float | None = None) -> None:
        """Says that `done` of the total are there; does nothing when the last line is too young.

        `rate` in units a second, where the caller knows better than the time between lines.
        """
        interval_s = TTY_INTERVAL_S if self._rewrites else LOG_INTERVAL_S
        now = self._clock()
        if now - self._seen[-1][0] < interval_s:
            return
        self._seen.append((now, done))
        self._write(done, note, rate)

    def close(self, done: int, note: str = "", *, rate: float | None = None) -> None:
        """The last line, whatever the age of the one before."""
        self._seen.append((self._clock(), done))
        self._write(done, note, rate)
        if self._rewrites:
            self._stream.write("\n")
            self._stream.flush()

    def rate(self) -> float:
        """Units a second over the last lines; 0 before the second one."""
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def _write(self, done: int, note: str, rate: float | None) -> None:
        rate = self.rate() if rate is None else rate
        parts = [f"{done:,}/{self.total:,} {self.unit}", f"{rate:,.1f} {self.unit}/s"]
        if done < self.total and rate > 0:
            parts.append(f"{duration((self.total - done) / rate)} left")
        if note:
            parts.append(note)
        line = " | ".join(parts)
        self._stream.write(f"\r{line}{ERASE_LINE}" if self._rewrites else f"{line}\n")
        self._stream.flush()


@contextmanager
def progress_line(total: int, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Takes (done, total) and keeps a line of progress, which ends when the block does."""
    line = Progress(total, unit)

    def show(done: int, _: int) -> None:
        if done < total:
            line.show(done)

    yield show
    line.close(total)


def say(text: str) -> None:
    """One line on stderr, in the place of a line of progress that may stand there on a terminal."""
    print(f"\r{ERASE_LINE}{text}" if sys.stderr.isatty() else text, file=sys.stderr, flush=True)
