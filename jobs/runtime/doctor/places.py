"""--data and --out: do they answer, and may we do there what the jobs do?"""

from argan.errors import StorageError
from argan.storage import Storage
from argan.storage.local import LocalStorage
from argan.storage.probe import Clock, Outcome, impatient, local_clock, reach, try_reading, try_writing
from jobs.runtime.doctor.clocks import CHECK as CLOCKS
from jobs.runtime.doctor.clocks import check_clock
from jobs.runtime.doctor.finding import Finding, begin, fault, ok, warning

FIRST_ANSWER_S = 8.0

ADVICE = {
    "write": "choose a place that you may write to",
    "create only": "the lease and the checkpoint's pointer rest on If-None-Match: another S3, or a newer version of it",
    "replace only": "the lease and the checkpoint's pointer rest on If-Match: another S3, or a newer version of it",
    "write in parts": "large checkpoints and shards go up in parts: does a proxy on the way limit their size?",
    "abort an upload": "without it the parts of broken uploads stay and cost money: a lifecycle rule can remove them",
    "delete": "old checkpoints are deleted: what this trial wrote, .argan-doctor-*, has stayed behind too",
}
TABLE = "docs/cluster.md explains it under 'When it says no'"


def check_out(uri: str) -> list[Finding]:
    """The place of the results: everything that a run does there, under a prefix that is removed again."""
    storage = impatient(uri)
    try:
        clock = contact(storage)
        outcomes = try_writing(storage)
        if isinstance(storage, LocalStorage) and not any(outcome.problem for outcome in outcomes):
            clock = local_clock(storage)
    except StorageError as error:
        return [fault("--out", str(error), TABLE)]
    findings = judged("--out", uri, outcomes)
    return [*findings, check_clock(clock, f"the clock of {uri}")] if clock else [*findings, *timeless(storage)]


def check_data(uri: str) -> list[Finding]:
    """The place of the packed set: list and read are all that it needs."""
    storage = impatient(uri)
    try:
        contact(storage)
    except StorageError as error:
        return [fault("--data", str(error), TABLE)]
    return judged("--data", uri, try_reading(storage, "manifest.json"))


def contact(storage: Storage) -> Clock | None:
    """`reach`, for a person who waits. Raises StorageError where nobody answers in time, too."""
    try:
        return begin(lambda: reach(storage)).result(FIRST_ANSWER_S)
    except TimeoutError:
        raise StorageError(
            f"{storage.uri}: no answer within {FIRST_ANSWER_S:g} s: check AWS_ENDPOINT_URL and the network"
        ) from None


def judged(check: str, uri: str, outcomes: list[Outcome]) -> list[Finding]:
    """One line for all that works, and one for each right or verb that does not."""
    works = ", ".join(outcome.verb for outcome in outcomes if not outcome.problem)
    findings = [ok(check, f"{uri}: {works}")] if works else []
    for verb, problem, right in outcomes:
        if right:
            findings.append(fault(check, f"{uri}: the right to {verb} is missing", f"grant {right}"))
        elif problem:
            findings.append(fault(check, f"{verb}: {problem}", ADVICE.get(verb, TABLE)))
    return findings


def timeless(storage: Storage) -> list[Finding]:
    """What to say where no clock was seen: for a folder, the refusal to write says it all."""
    if isinstance(storage, LocalStorage):
        return []
    return [warning(CLOCKS, f"{storage.uri} does not tell its time", "is there a proxy that drops the Date header?")]
