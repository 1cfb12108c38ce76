"""What is done at one rung of a trial: trained to it by jobs/train.py's code, judged there by jobs/evaluate.py's."""

import json
import time
from dataclasses import dataclass
from typing import Any

import torch

from argan import strict_json
from argan.config import Config
from argan.errors import DataError, MissingError
from argan.evaluation.protocol import PROTOCOL
from argan.judging_size import JudgingSize
from argan.runs.checkpoints import read_pointer
from argan.runs.lease import LeaseHeldError
from argan.settings import run_name
from argan.storage import open_storage
from jobs.runtime.evaluation import EvaluationRequest, evaluate, plan_for, small_request
from jobs.runtime.flat_numbers import flat_numbers
from jobs.runtime.training import LEASE_S, TrainingRequest, train
from jobs.runtime.workers import Workers

DEAD_OWNER_S = 2 * LEASE_S  # a trial that was killed on another node holds its run's lease for a while
ASK_AGAIN_S = 10.0


@dataclass(frozen=True, kw_only=True)
class TrialWork:
    """What all trials of a sweep share. Plain values: it travels as a dict."""

    sweep_uri: str
    data_uri: str
    photos_uri: str | None  # what KID compares with; None: the scenes that judge depth
    rungs_images: tuple[int, ...]
    objectives: tuple[str, ...]
    workers: dict[str, Any]
    speed_ups: dict[str, Any]  # configuration keys that change nothing of what is learned
    judging: dict[str, Any]
    max_failures: int
    nodes_may_come: bool

    @property
    def runs_uri(self) -> str:
        return f"{self.sweep_uri}/runs"


def train_to(work: TrialWork, config: Config) -> None:
    """Trains the trial's run to config.schedule.total_images; nothing where it is there already, or was judged there:
    a judgement stands for its rung, though the run be lost with the machine that trained it.
    """
    if open_storage(work.sweep_uri).exists(judgement_of(config, config.schedule.total_images)):
        return
    request = TrainingRequest(
        config=config,
        data_uri=work.data_uri,
        out_uri=work.runs_uri,
        workers=Workers(**work.workers),
        max_failures=work.max_failures,
        nodes_may_come=work.nodes_may_come,
    )
    ends_at = time.monotonic() + DEAD_OWNER_S
    while True:
        try:
            train(request)
            return
        except LeaseHeldError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(ASK_AGAIN_S)


def judgement_of(config: Config, images: int) -> str:
    """Where it is kept in the sweep's folder."""
    return f"judged/{run_name(config)}-{images}.json"


def judge(work: TrialWork, config: Config, images: int) -> dict[str, float | None]:
    """The numbers of jobs/evaluate.py by their dotted names; kept in the sweep's folder, so a rung is judged once.

    Raises DataError where the run has gone on past the rung, or what is kept was judged in another way.
    """
    run, kept = open_storage(f"{work.runs_uri}/{run_name(config)}"), open_storage(work.sweep_uri)
    name = judgement_of(config, images)
    use_gpu = Workers(**work.workers).use_gpu
    request = judging_request(JudgingSize(**work.judging), config, work.sweep_uri, work.photos_uri, use_gpu)
    try:
        result = json.loads(kept.read_bytes(name))
    except MissingError:
        pass
    else:
        planned = {**plan_for(config, request), "run_name": run_name(config), "images_seen": images}
        require_same_protocol(result["protocol"], planned, f"{kept.uri}/{name}")
        return flat_numbers(result)
    stands_at = read_pointer(run).checkpoints[0]["images_seen"]
    if stands_at != images:
        raise DataError(
            f"{run.uri} stands at {stands_at:,} images, not at the rung of {images:,}, so what it was worth there "
            "cannot be told: delete its folder, and the same command trains it again"
        )
    torch.set_num_threads(max(1, Workers(**work.workers).cpus_each))
    result = strict_json.finite(evaluate(request)[0])
    judged_at = result["protocol"]["images_seen"]
    if judged_at != images:
        raise DataError(f"{run.uri}: the newest checkpoint is broken, the one before is of {judged_at:,} images")
    kept.write_bytes(name, strict_json.dumps(result, indent=1).encode())
    return flat_numbers(result)


def judging_request(
    size: JudgingSize, config: Config, sweep_uri: str, photos_uri: str | None, use_gpu: bool | None
) -> EvaluationRequest:
    """Of the sweep's run of that configuration."""
    return small_request(
        size,
        has_depth=config.method == "ar-gan",
        photos_uri=photos_uri,
        run_uri=f"{sweep_uri}/runs/{run_name(config)}",
        cache_uri=f"{sweep_uri}/estimators",
        use_gpu=use_gpu,
    )


def require_same_protocol(found: dict[str, Any], planned: dict[str, Any], where: str) -> None:
    """Of a kept judgement, which may have come from another sweep's folder: the same run at the same images, the same
    parts, on the same photos, by the same pairs. On another machine is another matter: a sweep may go on on one.

    Raises DataError with the difference.
    """
    depth, kid = planned.get("protocol", {}), planned["kid"]
    fakes = found.get("fakes", {}).get("photos"), depth.get("fakes", {}).get("photos")
    pairs = {
        "protocol": (found.get("protocol"), PROTOCOL),
        **{name: (found.get(name), planned[name]) for name in ("run_name", "images_seen")},
        **{name: (found.get(name), depth.get(name)) for name in ("test", "ranks", "estimator")},
        "fakes.photos": fakes,
        "kid.real": (found.get("kid", {}).get("real"), kid["real"]),
        "kid.fake.seed": (found.get("kid", {}).get("fake", {}).get("seed"), kid["seed"]),
        "optics": ("optics" in found, "optics" in planned),
    }
    for name, (one, other) in pairs.items():
        if one != json.loads(json.dumps(other)):
            raise DataError(f"{where} was judged with {name} {one}, here it is {other}: take it away")
