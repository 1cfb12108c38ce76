"""From a run to its evaluation: who learns from what, what is kept, what the page shows."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from argan.api import Run, load_run
from argan.errors import DataError, MissingError
from argan.evaluation.depth import Evaluation, evaluate_depth
from argan.evaluation.estimation import EstimatorBudget, Pairs, PairSource, build_estimator, train_estimator
from argan.evaluation.measures import MEASURES, RankSettings, TruthSet
from argan.evaluation.protocol import depth_protocol, protocol_hash, training_protocol
from argan.models.estimator import Estimator
from argan.pixels import to_signed
from argan.runs.folder import find_run, read_config
from argan.settings import run_name
from argan.storage import Storage, open_storage
from argan.training.checkpoint import load_weights
from argan.viewing.evaluation_report import evaluation_report
from argan.viewing.pictures import disparity_colours, grid, png_bytes
from jobs.runtime.judges import Judges, progress_line, say, scene_judges, set_judges

PICTURES_EACH = 4  # best, median and worst
PICTURE_SIDE_PX = 192
RANKED_BY = "ordinal_accuracy"


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What somebody asked to be judged, and by what."""

    run_uri: str
    cache_uri: str  # where trained estimators are kept: they are pure functions of their protocols
    data_uri: str | None = None  # None: scenes
    num_photos: int = 1000
    seed: int = 0
    budget: EstimatorBudget = field(default_factory=EstimatorBudget)

    @property
    def ranks(self) -> RankSettings:
        return RankSettings(seed=self.seed)


def plan(request: EvaluationRequest) -> dict[str, Any]:
    """What would be done, from the run's configuration and the set's manifest alone."""
    config = read_config(find_run(request.run_uri))
    judges = _judges(request, config.resolution)
    budget = _affordable(request.budget, judges)
    ceiling = training_protocol(judges.teach_record, budget, _device())
    fakes = training_protocol({"run": request.run_uri, "run_name": run_name(config)}, budget, _device())
    return {
        "steps": budget.num_images // budget.batch_images,
        "epochs": round(budget.num_images / budget.num_pairs, 2),
        "protocol": depth_protocol(fakes=fakes, ceiling=ceiling, test=judges.test_record, ranks=request.ranks),
    }


def evaluate(request: EvaluationRequest) -> tuple[dict[str, Any], Callable[[], str]]:
    """The result, and how to make its page. Raises UserError with one sentence for a person."""
    run = load_run(request.run_uri, device=_device(), warn=say)
    judges = _judges(request, run.config.resolution)
    budget = _affordable(request.budget, judges)
    truth = training_protocol(judges.teach_record, budget, run.device)
    fakes = training_protocol(_fakes_record(run, request.seed), budget, run.device)
    cache = open_storage(request.cache_uri)
    test = judges.test()
    ceiling = _taught("truth", lambda: truth_pairs(judges.teach()), truth, budget, cache=cache, device=run.device)
    net = _taught("fakes", lambda: fake_pairs(run, request.seed), fakes, budget, cache=cache, device=run.device)
    say("judging")
    evaluation = evaluate_depth(
        net,
        ceiling,
        test,
        prior=run.config.prior,
        ranks=request.ranks,
        protocol=depth_protocol(fakes=fakes, ceiling=truth, test=judges.test_record, ranks=request.ranks),
    )
    return evaluation.result, lambda: _page(evaluation, test, run.config.d_max_px)


def fake_pairs(run: Run, seed: int) -> PairSource:
    """What the generator claims: its photos as the discriminator saw them, and their disparity."""

    def source(start: int, count: int) -> Pairs:
        sample = run.sample(count, seed=seed, start_index=start)
        return Pairs(sample.photo, sample.disparity)

    return source


def truth_pairs(truth: TruthSet) -> PairSource:
    def source(start: int, count: int) -> Pairs:
        part = slice(start, start + count)
        return Pairs(to_signed(torch.from_numpy(truth.images[part])), torch.from_numpy(truth.disparity[part]))

    return source


def _judges(request: EvaluationRequest, resolution: int) -> Judges:
    sizes = {"num_test": request.num_photos, "num_teach": request.budget.num_pairs}
    if request.data_uri is None:
        return scene_judges(resolution, **sizes)
    return set_judges(request.data_uri, resolution, **sizes)


def _taught(
    teacher: str,
    pairs: Callable[[], PairSource],
    protocol: dict[str, Any],
    budget: EstimatorBudget,
    *,
    cache: Storage,
    device: torch.device,
) -> Estimator:
    """The estimator that these pairs teach: the kept one of this very protocol, else trained and kept."""
    path = f"{teacher}-{protocol_hash(protocol)}.safetensors"
    net = build_estimator(budget, device)
    try:
        load_weights(net, load(cache.read_bytes(path)))
        say(f"the estimator that learned from {teacher} is kept in {cache.uri}/{path}")
        return net
    except MissingError:
        pass
    except (SafetensorError, DataError) as error:
        raise DataError(f"{cache.uri}/{path} is broken, delete it: {error}") from error
    source = pairs()
    say(f"an estimator learns from {teacher}")
    with progress_line(budget.num_images, "images") as progress:
        net = train_estimator(source, budget, device=device, progress=progress)
    tensors = {key: tensor.cpu().contiguous() for key, tensor in net.state_dict().items()}
    cache.write_bytes(path, save(tensors, {"protocol": json.dumps(protocol)}))
    return net


def _affordable(budget: EstimatorBudget, judges: Judges) -> EstimatorBudget:
    """A small set has fewer distinct pairs; then the generator gives as few."""
    return replace(budget, num_pairs=min(budget.num_pairs, judges.num_teach))


def _fakes_record(run: Run, seed: int) -> dict[str, Any]:
    return {
        "run": run.uri,
        "run_name": run_name(run.config),
        "images_seen": run.images_seen,
        "weights_sha256": _weights_sha256(run),
        "photos": "R(I_d, s D), s ~ p(s)",
        "seed": seed,
        "resolution": run.config.resolution,
    }


def _weights_sha256(run: Run) -> str:
    digest = hashlib.sha256()
    for tensor in run.camera.state_dict().values():
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _page(evaluation: Evaluation, test: TruthSet, d_max_px: float) -> str:
    scores = evaluation.scores[:, MEASURES.index(RANKED_BY)]
    order = [index for index in np.argsort(-scores, kind="stable") if not np.isnan(scores[index])]
    middle = max(0, (len(order) - PICTURES_EACH) // 2)
    chosen = {
        "best": order[:PICTURES_EACH],
        "median": order[middle : middle + PICTURES_EACH],
        "worst": order[-PICTURES_EACH:],
    }
    pictures = []
    for place, indices in chosen.items():
        for index in indices:
            maps = (evaluation.estimates[index, 0].numpy(), test.disparity[index, 0])
            row = [test.images[index].transpose(1, 2, 0), *(disparity_colours(values, d_max_px) for values in maps)]
            scale = max(1, PICTURE_SIDE_PX // test.images.shape[-1])
            caption = f"{place}: photo {index}, {RANKED_BY} {scores[index]:.3f}"
            pictures.append((caption, png_bytes(grid([row], scale=scale))))
    return evaluation_report(evaluation.result, pictures, d_max_px=d_max_px)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
