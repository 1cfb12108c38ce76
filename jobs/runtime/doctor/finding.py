"""What a check came to, and how checks run side by side within a time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal, NamedTuple, TypeVar

T = TypeVar("T")

Verdict = Literal["ok", "warning", "FAULT"]


class Finding(NamedTuple):
    """A verdict, what was looked at, what was found, and, where it is not ok, what to do about it."""

    verdict: Verdict
    check: str
    found: str
    advice: str = ""

    def line(self) -> str:
        return f"{self.verdict:<8} {self.check:<12} {self.found}" + (f" -> {self.advice}" if self.advice else "")


def ok(check: str, found: str) -> Finding:
    return Finding("ok", check, found)


def warning(check: str, found: str, advice: str) -> Finding:
    return Finding("warning", check, found, advice)


def fault(check: str, found: str, advice: str) -> Finding:
    return Finding("FAULT", check, found, advice)


def begin(call: Callable[[], T]) -> "Future[T]":
    """Starts `call` in a thread that does not outlive the process: what hangs holds up nobody."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer
