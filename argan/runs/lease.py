"""Who trains this run now: two attempts of one run, one wins.

`lease.json` in the run's folder is changed by conditional writes only, so of two attempts that see it free one gets it.
The owner writes a heartbeat every quarter of the lease.

Clocks. A dead owner on this machine (same boot, same pid namespace) is seen to be dead and is replaced at once; a
living one is refused however old its heartbeat is (a laptop that slept). For an owner elsewhere two machines' wall
clocks are compared once, and never trusted with a takeover. If the heartbeat seems younger than the lease, the attempt
is refused at once; else it watches `lease.json` for half a lease by its own monotonic clock, in which a living owner
beats twice, and takes over only if nothing moves. So skew may cost a wait or a longer refusal, but no owner that beats
its run.
"""

import json
import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

from argan.errors import ConflictError, DataError, MissingError, StorageError, UserError
from argan.runs.process import ProcessIdentity, is_alive, is_visible, this_process
from argan.storage import Storage

LEASE = "lease.json"
SCHEMA = "argan-lease/1"
HEARTBEATS_PER_LEASE = 4

log = logging.getLogger(__name__)


class LeaseHeldError(UserError):
    """Another attempt trains this run."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What lease.json says. Times are unix seconds by the owner's clock."""

    schema: str = SCHEMA
    generation: int  # counts those who trained this run, from 1: owners, and each one's tries
    held: bool  # False once released
    token: str  # one acquisition's own, so that a write whose answer was lost is known again
    owner: ProcessIdentity
    acquired_at: float
    heartbeat_at: float
    lease_s: float


class Standing(NamedTuple):
    """The lease as read, with the version to write against."""

    record: Record
    version: str


class Lease:
    """A lease that was acquired. As a context manager it beats in the background and is released at the end.

    Where it was lost, leaving the context raises ConflictError, whatever else it is left with.
    """

    def __init__(self, storage: Storage, record: Record, version: str, on_lost: Callable[[], None] | None) -> None:
        self._storage = storage
        self._record = record
        self._version = version
        self._on_lost = on_lost
        self._lost = False
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def generation(self) -> int:
        """Which owner of the run this is, or which of its tries: from 1, and later is larger."""
        return self._record.generation

    @property
    def lost(self) -> bool:
        """Whether another attempt has taken the run over. Once True it stays so, and nothing more is written."""
        return self._lost

    def start(self) -> Self:
        """Beat in a background thread until `release`, or until the lease is lost."""
        self._thread = threading.Thread(target=self._beat, name="lease heartbeat", daemon=True)
        self._thread.start()
        return self

    def heartbeat(self) -> None:
        """Write one heartbeat. Raises ConflictError if the lease is lost, StorageError where storage stays away."""
        self._write(heartbeat_at=time.time())
        self.require_held()

    def renew(self) -> None:
        """Count one generation on, for another try of the same owner: workers of the try before, which may only seem to
        be dead, can write no more. Raises as `heartbeat` does.
        """
        self._write(generation=self._record.generation + 1, heartbeat_at=time.time())
        self.require_held()

    def require_held(self) -> None:
        """Raise ConflictError if the lease is known to be lost. Asks nobody."""
        if self._lost:
            raise ConflictError(f"{self._storage.uri} was taken over by another attempt, and this one stops")

    def release(self) -> None:
        """Stop beating and leave the run to the next attempt. Without effect if the lease is lost or released."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self._write(held=False)
        except StorageError as error:
            log.warning("the lease could not be released and lasts %g s more: %s", self._record.lease_s, error)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        finally:
            self.require_held()  # an interrupt by `on_lost` may come as late as this, and must not look like ctrl-C

    def _beat(self) -> None:
        while not self._stopping.wait(self._record.lease_s / HEARTBEATS_PER_LEASE):
            try:
                self.heartbeat()
            except ConflictError:
                if self._on_lost is not None:
                    self._on_lost()
                return
            except StorageError as error:
                # An outage is no loss: if nobody took over meanwhile, the next conditional write goes through.
                log.warning("the heartbeat of generation %d failed, it goes on: %s", self.generation, error)

    def _write(self, **changes: Any) -> None:
        with self._writing:
            record = replace(self._record, **changes)  # in here: the heartbeat's thread must not undo a renewal
            while self._record.held and not self._lost:
                try:
                    self._version = self._storage.write_if(LEASE, encoded(record), self._version)
                    self._record = record
                    return
                except ConflictError:
                    try:
                        standing = read(self._storage)
                    except DataError:
                        standing = None  # bytes that no attempt of ours wrote: whoever did, the run is theirs now
                if standing is not None and standing.record.token == record.token:
                    self._version = standing.version  # an earlier write of ours arrived, only its answer did not
                else:
                    self._lost = True


def acquire(
    storage: Storage, lease_s: float = 60.0, on_lost: Callable[[], None] | None = None, *, after: int = 0
) -> Lease:
    """Take the lease of the run whose folder `storage` is. The heartbeat begins with `with` or `Lease.start`.

    Its generation is above `after`, the last that is known from elsewhere: lease.json may have been deleted by hand.
    `on_lost` is called once, from the heartbeat's thread, when another attempt has taken over.
    Waits half a lease where an owner elsewhere may be dead. Raises LeaseHeldError if the owner lives.
    """
    standing = read(storage)
    if standing is not None:
        standing = _free(storage, standing)
    now = time.time()
    record = Record(
        generation=max(after, 0 if standing is None else standing.record.generation) + 1,
        held=True,
        token=uuid.uuid4().hex,
        owner=this_process(),
        acquired_at=now,
        heartbeat_at=now,
        lease_s=lease_s,
    )
    try:
        version = storage.write_if(LEASE, encoded(record), None if standing is None else standing.version)
    except ConflictError:
        raise LeaseHeldError(f"{storage.uri}: another attempt of this run, started just now, was faster") from None
    return Lease(storage, record, version, on_lost)


def _free(storage: Storage, standing: Standing) -> Standing | None:
    """The lease to take over from, once it was released or its owner is dead (see the module's docstring).

    Raises LeaseHeldError where its owner lives.
    """
    record = standing.record
    if not record.held:
        return standing
    if is_visible(record.owner):
        if is_alive(record.owner):
            raise LeaseHeldError(f"{held_by(storage, record)}: stop that process first")
        return standing
    age_s = time.time() - record.heartbeat_at
    if abs(age_s) < record.lease_s:
        raise LeaseHeldError(
            f"{held_by(storage, record)}: stop that process first, or, if it is dead, try again in"
            f" {math.ceil(record.lease_s - age_s)} s"
        )
    end = time.monotonic() + record.lease_s / 2
    while time.monotonic() < end:
        time.sleep(record.lease_s / 20)
        found = read(storage)
        if found is None or not found.record.held:
            return found
        if found != standing:
            raise LeaseHeldError(f"{held_by(storage, record)}, and it still moves: stop that process first")
    return standing


def require_latest(storage: Storage, attempt: int) -> None:
    """Raises ConflictError where the lease has gone on past generation `attempt`: a later owner, or a later try of the
    same one.
    """
    standing = read(storage)
    if standing is not None and standing.record.generation > attempt:
        raise overtaken(storage, attempt, by=standing.record.generation)


def require_shared(storage: Storage, attempt: int) -> None:
    """For a worker of generation `attempt`, before it begins. Raises DataError where `storage`, as this process sees
    it, is not the folder in which the driver took the lease, as a local path on another node is; ConflictError as
    `require_latest`.
    """
    standing = read(storage)
    if standing is None or standing.record.generation < attempt:
        raise DataError(
            f"{storage.uri} on {this_process().host} is not the folder in which the driver began attempt {attempt}: "
            "is --out a folder that all nodes share?"
        )
    require_latest(storage, attempt)


def overtaken(storage: Storage, attempt: int, *, by: int) -> ConflictError:
    return ConflictError(f"{storage.uri} is trained by attempt {by} now; this is attempt {attempt} and it stops")


def held_by(storage: Storage, record: Record) -> str:
    since = datetime.fromtimestamp(record.acquired_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"{storage.uri} is trained by process {record.owner.pid} on {record.owner.host} since {since}"
        f" (a dead owner's lease lasts {record.lease_s:g} s, on its own machine not at all)"
    )


def read(storage: Storage) -> Standing | None:
    """The lease that stands, or None if there never was one. Raises DataError where lease.json is not a lease."""
    try:
        data, version = storage.read_versioned(LEASE)
    except MissingError:
        return None
    try:
        fields = json.loads(data)
        record = Record(**{**fields, "owner": ProcessIdentity(**fields["owner"])})
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{storage.uri}/{LEASE} is no lease: if nothing trains this run, delete it ({error})"
        ) from error
    if record.schema != SCHEMA:
        raise DataError(f"{storage.uri}/{LEASE} has schema {record.schema!r}, expected {SCHEMA!r}")
    return Standing(record, version)


def encoded(record: Record) -> bytes:
    return json.dumps(asdict(record), indent=1).encode()
