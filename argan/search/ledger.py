"""The ledger of a sweep: one JSON line an event, as things happened. It is the truth; all else follows from it.

    {"event": "sweep", "schema": "argan-sweep/1", "definition": {...}}
    {"event": "known", "trials": [{"changes": {...}, "costs": [...]}], "source": "..."}    from an earlier sweep
    {"event": "proposed", "trial": 0, "changes": {...}, "run": "small-32-0123456789"}
    {"event": "rung", "trial": 0, "images": 16000, "values": {"kid": 31.2, ...}, "seconds": 240.0}
    {"event": "ended", "trial": 0, "status": "finished", "error": ""}

Whoever holds the sweep's lease writes it, each time whole and only over the version that it has read: an event stands
or it does not, and a driver that was replaced cannot write any more.
"""

import itertools
import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from argan import strict_json
from argan.errors import ConflictError, DataError, MissingError, StorageError, UserError, passes
from argan.search.sweep import Sweep
from argan.storage import Storage

LEDGER = "ledger.jsonl"
SCHEMA = "argan-sweep/1"
OUTAGE_WAITS_S = (2.0, 8.0, 32.0, 60.0, 60.0, 60.0)

log = logging.getLogger(__name__)

Ending = Literal["finished", "stopped", "broke"]


@dataclass(frozen=True)
class Rung:
    """What a trial was worth at so many images; `seconds` of training and judging since the rung before."""

    images: int
    values: Mapping[str, float | None]
    seconds: float


@dataclass
class Trial:
    """A trial as the ledger tells it."""

    number: int
    changes: dict[str, Any]
    run: str
    rungs: list[Rung] = field(default_factory=list)
    status: Ending | None = None  # None: not ended
    error: str = ""

    @property
    def images(self) -> int:
        """Images seen at its last rung."""
        return self.rungs[-1].images if self.rungs else 0


@dataclass(frozen=True)
class Known:
    """A trial of another sweep: what it changed and what that cost, in this sweep's objectives."""

    changes: dict[str, Any]
    costs: tuple[float, ...]


class Ledger:
    """The events of one sweep's folder, read once and added to."""

    def __init__(self, storage: Storage, sweep: Sweep) -> None:
        """Reads what stands there. Raises DataError where that is damaged, or of another definition."""
        self.sweep = sweep
        self.trials: list[Trial] = []
        self.known: list[Known] = []
        self.known_from = ""  # the folder of that sweep
        self._storage = storage
        self._lines: list[str] = []
        self._arrivals: dict[int, list[tuple[int, tuple[float, ...]]]] = {}
        self._version: str | None = None
        try:
            data, self._version = storage.read_versioned(LEDGER)
        except MissingError:
            return
        try:
            for line in data.decode().splitlines():
                self._take(json.loads(line))
                self._lines.append(line)
        except UserError:
            raise
        except (ValueError, KeyError, IndexError, TypeError) as error:
            line = f"line {len(self._lines) + 1}"
            raise DataError(f"{storage.uri}/{LEDGER} is damaged at {line}: {error}") from error

    def begin(self) -> None:
        """Writes the definition, unless it stands there."""
        if not self._lines:
            self._write({"event": "sweep", "schema": SCHEMA, "definition": self.sweep.definition()})

    def know(self, known: Sequence[Known], source: str) -> None:
        """All at once: half of it would lead elsewhere."""
        trials = [{"changes": each.changes, "costs": list(each.costs)} for each in known]
        self._write({"event": "known", "trials": trials, "source": source})

    def propose(self, changes: Mapping[str, Any], run: str) -> Trial:
        """A new trial, the next number."""
        self._write({"event": "proposed", "trial": len(self.trials), "changes": dict(changes), "run": run})
        return self.trials[-1]

    def reach(self, number: int, rung: Rung) -> None:
        values = dict(rung.values)
        event = {"event": "rung", "trial": number, "images": rung.images, "values": values, "seconds": rung.seconds}
        self._write(event)

    def end(self, number: int, status: Ending, error: str = "") -> None:
        self._write({"event": "ended", "trial": number, "status": status, "error": error})

    def costs(self, rung: Rung) -> tuple[float, ...]:
        """Of this sweep's objectives; what could not be measured is worth nothing: infinite."""
        values = [rung.values.get(objective.name) for objective in self.sweep.objectives]
        pairs = zip(self.sweep.objectives, values, strict=True)
        return tuple(
            objective.cost(value) if value is not None and math.isfinite(value) else float("inf")
            for objective, value in pairs
        )

    def earlier(self, number: int, images: int) -> list[tuple[float, ...]]:
        """The costs of those that reached this rung before trial `number` did, or so far where it has not: after a
        restart the same question has the same answer.
        """
        arrivals = self._arrivals.get(images, [])
        before = itertools.takewhile(lambda arrival: arrival[0] != number, arrivals)
        return [costs for _, costs in before]

    def _write(self, event: dict[str, Any]) -> None:
        line = strict_json.dumps(event)
        self._version = self._replace("".join(text + "\n" for text in [*self._lines, line]).encode())
        self._lines.append(line)
        self._take(json.loads(line))

    def _replace(self, data: bytes) -> str:
        """The version that stands then. Storage that stays away is waited for, as a trial's training waits for it.

        Raises ConflictError where another driver has written since.
        """
        waits_s, heard = iter(OUTAGE_WAITS_S), True
        while True:
            try:
                return self._put(data, may_stand=not heard)
            except StorageError as away:
                wait_s = next(waits_s, None)
                if wait_s is None or not passes(away):
                    raise
                log.warning("the ledger could not be written, it is tried again in %g s: %s", wait_s, away)
                time.sleep(wait_s)
                heard = False

    def _put(self, data: bytes, *, may_stand: bool) -> str:
        """As `_replace`, tried once; it may stand there already where only the answer to an earlier try was lost."""
        try:
            return self._storage.write_if(LEDGER, data, self._version)
        except ConflictError:
            if not may_stand:
                raise
            standing, version = self._storage.read_versioned(LEDGER)
            if standing != data:
                raise
            return version

    def _take(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "sweep":
                if event["schema"] != SCHEMA:
                    raise DataError(f"{self._storage.uri}/{LEDGER} has schema {event['schema']!r}, expected {SCHEMA!r}")
                if event["definition"] != self.sweep.definition():
                    raise UserError(f"{self._storage.uri} is of another definition of {self.sweep.name}")
            case "known":
                self.known_from = event["source"]
                self.known += [Known(each["changes"], tuple(each["costs"])) for each in event["trials"]]
            case "proposed":
                if event["trial"] != len(self.trials):
                    raise ValueError(f"trial {event['trial']} where {len(self.trials)} should come")
                self.trials.append(Trial(event["trial"], event["changes"], event["run"]))
            case "rung":
                rung = Rung(event["images"], event["values"], event["seconds"])
                self.trials[event["trial"]].rungs.append(rung)
                self._arrivals.setdefault(rung.images, []).append((event["trial"], self.costs(rung)))
            case "ended":
                trial = self.trials[event["trial"]]
                trial.status, trial.error = event["status"], event["error"]
            case other:
                raise ValueError(f"an event {other!r}")
