"""From a run to its evaluation: the depth it has learned, how far its photos are from real ones, and its optics."""

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch

from argan.api import Run, Which, load_run
from argan.config import Config
from argan.errors import UserError
from argan.evaluation.estimation import EstimatorBudget
from argan.evaluation.protocol import PROTOCOL
from argan.judging_size import JudgingSize, Use
from argan.runs.best import images_of_best
from argan.runs.folder import find_run, read_config
from argan.settings import run_name
from argan.storage import open_storage
from argan.versions import platform_facts, versions
from argan.viewing.evaluation_report import evaluation_report
from jobs.runtime.cli import say
from jobs.runtime.depth_quality import DepthQuality, depth_pictures, judge_depth, plan_depth
from jobs.runtime.judges import Judges, scene_judges, set_judges
from jobs.runtime.optics_quality import OpticsQuality, camera_facts, judge_optics
from jobs.runtime.photo_quality import PhotoQuality, judge_photos, real_photos, require_judgeable

Part = Literal["depth", "kid", "optics"]
PARTS: tuple[Part, ...] = ("depth", "kid", "optics")


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What somebody asked to be judged, and by what."""

    run_uri: str
    checkpoint: Which = "newest"
    cache_uri: str  # where trained estimators and features are kept: they are pure functions of their protocols
    data_uri: str | None = None  # None: scenes
    use: Use = "test"
    num_photos: int = 1000
    depth: DepthQuality = field(default_factory=DepthQuality)
    photos: PhotoQuality = field(default_factory=PhotoQuality)
    optics: OpticsQuality = field(default_factory=OpticsQuality)
    parts: tuple[Part, ...] = PARTS
    use_gpu: bool | None = None  # None: where there is one


def small_request(
    size: JudgingSize, *, has_depth: bool, photos_uri: str | None = None, **others: Any
) -> EvaluationRequest:
    """A judgement of that size, by KID alone unless there is depth to judge; `photos_uri` is the set that photos are
    compared with, `others` the request's own.
    """
    optics: tuple[Part, ...] = ("optics",) if size.optics else ()
    budget = EstimatorBudget(num_images=size.estimator_images, num_pairs=size.estimator_pairs, seed=size.seed)
    num = size.kid_photos
    return EvaluationRequest(
        num_photos=size.num_photos,
        depth=DepthQuality(budget=budget, seed=size.seed),
        photos=PhotoQuality(photos_uri=photos_uri, num_fakes=num, num_reals=num, seed=size.seed),
        optics=OpticsQuality(seed=size.seed),
        use=size.use,
        parts=("depth", "kid", *optics) if has_depth else ("kid",),
        **others,
    )


def plan(request: EvaluationRequest) -> dict[str, Any]:
    """What would be done, from the run's configuration and the set's manifest alone. Raises UserError where it
    cannot.
    """
    storage = find_run(request.run_uri)
    if request.checkpoint != "newest":
        images_of_best(storage, request.checkpoint)
    return plan_for(read_config(storage), request)


def plan_for(config: Config, request: EvaluationRequest) -> dict[str, Any]:
    """The same of a run of that configuration, whether it is there or not."""
    judges = _judges(request, config.resolution)
    planned: dict[str, Any] = {}
    if config.method == "gan" and request.parts != ("kid",):
        raise UserError("a standard GAN has no disparity to judge: --only kid")
    if "depth" in request.parts:
        planned |= plan_depth(request.run_uri, config, judges, request.depth, _device(request))
    if request.parts != ("depth",):
        reals = real_photos(request.photos, judges, config.resolution, request.use)
    if "optics" in request.parts:
        planned["optics"] = asdict(request.optics)
    if "kid" in request.parts:
        require_judgeable(request.photos, reals)
        planned["kid"] = {**asdict(request.photos), "real": reals.record}
    return planned


def evaluate(request: EvaluationRequest) -> tuple[dict[str, Any], Callable[[], str]]:
    """The result, and how to make its page. Raises UserError with one sentence for a person."""
    run = load_run(request.run_uri, checkpoint=request.checkpoint, device=_device(request), warn=say)
    return judge_run(run, request)


def judge_run(run: Run, request: EvaluationRequest) -> tuple[dict[str, Any], Callable[[], str]]:
    """As `evaluate`, of a run that is loaded."""
    judges = _judges(request, run.config.resolution)
    cache = open_storage(request.cache_uri)
    result: dict[str, Any] = {}
    protocol = _of_every_part(run, request)
    pictures: list[tuple[str, bytes]] = []
    if request.parts != ("depth",):
        reals = real_photos(request.photos, judges, run.config.resolution, request.use)
    if "kid" in request.parts:  # first: it takes least, and what is wrong with its photos or features is seen at once
        photos = judge_photos(run, reals, request.photos, cache)
        result, protocol["kid"] = photos.result, photos.protocol
    if "depth" in request.parts:
        evaluation, test = judge_depth(run, judges, request.depth, cache)
        protocol |= evaluation.result.pop("protocol")
        result |= evaluation.result
        pictures = depth_pictures(evaluation, test, run.config.d_max_px)
    if "optics" in request.parts:
        result |= judge_optics(run, reals, request.optics)
        compared = min(request.optics.num_photos, reals.record["num_photos"])
        facts = {**camera_facts(run.config), "real": {**reals.record, "num_photos": compared}}
        protocol["optics"] = {**asdict(request.optics), **facts}
    result["protocol"] = protocol
    return result, lambda: evaluation_report(result, pictures, d_max_px=run.config.d_max_px)


def _of_every_part(run: Run, request: EvaluationRequest) -> dict[str, Any]:
    """Which weights were judged, by which protocol, on what."""
    return {
        "protocol": PROTOCOL,
        "run": run.uri,
        "run_name": run_name(run.config),
        "images_seen": run.images_seen,
        "checkpoint": request.checkpoint,
        "checkpoint_sha256": run.checkpoint_sha256,
        "platform": {**platform_facts(run.device), **versions()},
    }


def _judges(request: EvaluationRequest, resolution: int) -> Judges:
    """The photos with truth; those that judge are read once, however many ask for them."""
    num_test, num_teach, use = request.num_photos, request.depth.budget.num_pairs, request.use
    if request.data_uri is None:
        judges = scene_judges(resolution, num_test=num_test, num_teach=num_teach, use=use)
    else:
        judges = set_judges(request.data_uri, resolution, num_test=num_test, num_teach=num_teach, use=use)
    return judges._replace(test=functools.cache(judges.test))


def _device(request: EvaluationRequest) -> torch.device:
    use_gpu = torch.cuda.is_available() if request.use_gpu is None else request.use_gpu
    return torch.device("cuda" if use_gpu else "cpu")
