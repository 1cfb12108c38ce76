"""All checks, side by side, within a time: what they found, in one order whatever came first."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from argan.config import Config
from argan.errors import UserError
from jobs.runtime.doctor.asking import NODES_SHARE, surveying
from jobs.runtime.doctor.finding import Finding, begin, fault
from jobs.runtime.doctor.installed import check_versions, wanted_by
from jobs.runtime.doctor.places import TABLE, check_data, check_out
from jobs.runtime.doctor.survey import Question, joins_cluster
from jobs.runtime.workers import Workers


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What somebody is about to train, and with what. Without a configuration, what hangs on it is left out."""

    data_uri: str
    out_uri: str
    config: Config | None
    workers: Workers
    working_dir: Path  # what `ray job submit` sends
    seconds: float  # for all of it


def examine(asked: Examination) -> Iterator[Finding]:
    """Every check's findings, as soon as those before it are there. One that hangs is a fault, not a wait.

    Raises UserError where the working directory is no checkout.
    """
    ends_at = time.monotonic() + asked.seconds
    wanted = wanted_by(asked.working_dir)
    question = Question(
        packages=list(wanted.ranges),
        cache_folder=asked.config.compute.cache_folder if asked.config else "",
        data_uri=asked.data_uri,
        out_uri=asked.out_uri,
        seconds=NODES_SHARE * asked.seconds,
    )
    with surveying(question) as survey:
        # The survey has begun; these take seconds to load. Here, as threads that load them get in each other's way.
        from jobs.runtime.doctor.cluster import check_cluster
        from jobs.runtime.doctor.package import check_package
        from jobs.runtime.doctor.packed_set import check_set

        def check_place_and_set() -> list[Finding]:
            place = check_data(asked.data_uri)
            return place if has_fault(place) else [*place, *check_set(asked.data_uri, asked.config)]

        begun = {
            "versions": begin(lambda: check_versions(wanted)),
            "package": begin(lambda: check_package(asked.working_dir)),
            "--out": begin(lambda: check_out(asked.out_uri)),
            "--data": begin(check_place_and_set),
        }
        for name, answer in begun.items():
            yield from waited_for(name, answer, ends_at)
        try:
            nodes = survey.nodes(ends_at - time.monotonic())
        except UserError as error:
            yield fault("ray", str(error), "unset RAY_ADDRESS where that cluster is gone; else look at its head's logs")
            return
    yield from check_cluster(nodes, config=asked.config, workers=asked.workers, wanted=wanted, joined=joins_cluster())


def waited_for(name: str, answer: "Future[list[Finding]]", ends_at: float) -> list[Finding]:
    """What a check found, or that it did not end in time."""
    try:
        return answer.result(max(0.0, ends_at - time.monotonic()))
    except TimeoutError:
        return [fault(name, "no answer in time", "look at it alone; --seconds gives all checks more time")]
    except UserError as error:
        return [fault(name, str(error), TABLE)]


def has_fault(findings: list[Finding]) -> bool:
    return any(finding.verdict == "FAULT" for finding in findings)
