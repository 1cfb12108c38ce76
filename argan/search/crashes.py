"""Trials that crashed. Whose fault it was shows later: their own where another trial gets somewhere; else that of the
machinery (an image without a module, a driver that does not fit), which would break one trial after another.
"""

from argan.errors import UserError
from argan.search.ledger import Ledger


class Crashes:
    """Crashed trials are set aside until that is known, and in no file: after a restart they are tried again."""

    def __init__(self, ledger: Ledger, most: int) -> None:
        """So many in a row are put up with."""
        self._ledger = ledger
        self._most = most
        self._aside: dict[int, str] = {}  # number -> what it died of
        self._works = False

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(self._aside)

    def set_aside(self, number: int, why: str) -> None:
        """Raises UserError where one too many have crashed and nobody got anywhere since the first of them."""
        self._aside[number] = why
        if len(self._aside) > self._most:
            raise UserError(self._sentence())

    def are_their_own(self) -> None:
        """Somebody got somewhere: those set aside broke by themselves, and the ledger says so."""
        self._works = True
        for number, why in self._aside.items():
            self._ledger.end(number, "broke", why)
        self._aside.clear()

    def close(self) -> None:
        """Nothing else is left to run. Raises UserError where no trial has got anywhere since this start: the machinery
        may be another than the one that earlier trials got somewhere with.
        """
        if self._aside and not self._works:
            raise UserError(self._sentence())
        self.are_their_own()

    def _sentence(self) -> str:
        *others, last = self._aside
        why = f"{self._aside[last]}; the same command tries again"
        if not others:
            return f"trial {last} crashed: {why}"
        return f"trials {', '.join(map(str, self._aside))} crashed one after another, the last with {why}"
