"""The depth that a run has learned: two estimators, one taught by fakes and one by truth, judged on the same photos."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from argan.api import Run
from argan.config import Config, DofConfig
from argan.errors import UserError
from argan.evaluation.depth import Evaluation, evaluate_depth
from argan.evaluation.estimation import EstimatorBudget, Pairs, PairSource, build_estimator, train_estimator
from argan.evaluation.measures import RankSettings, TruthSet
from argan.evaluation.protocol import depth_protocol, training_protocol
from argan.evaluation.scores import MEASURES
from argan.models.estimator import Estimator
from argan.pixels import to_signed
from argan.settings import run_name
from argan.storage import Storage
from argan.training.checkpoint import load_weights
from argan.viewing.pictures import disparity_colours, grid, png_bytes
from jobs.runtime.cli import progress_line, say
from jobs.runtime.judges import Judges
from jobs.runtime.kept import kept

PICTURES_EACH = 4  # best, median and worst
PICTURE_SIDE_PX = 192
RANKED_BY = "ordinal_accuracy"

Apertures = Literal["uniform", "own"]


@dataclass(frozen=True, kw_only=True)
class DepthQuality:
    """What an estimator may spend, the seed of samples, estimators and pixel pairs, and how the run's pairs are
    photographed: "uniform", s uniform in [0, 1] for every run, or "own", by the run's own p(s).
    """

    budget: EstimatorBudget = field(default_factory=EstimatorBudget)
    seed: int = 0
    apertures: Apertures = "uniform"

    @property
    def ranks(self) -> RankSettings:
        return RankSettings(seed=self.seed)


def plan_depth(
    run_uri: str, config: Config, judges: Judges, quality: DepthQuality, device: torch.device
) -> dict[str, Any]:
    """What would be done."""
    budget = _affordable(quality.budget, judges)
    ceiling = training_protocol(judges.teach_record, budget, device)
    source = {"run": run_uri, "run_name": run_name(config), "photos": photographed(quality.apertures)}
    fakes = training_protocol(source, budget, device)
    return {
        "steps": budget.num_images // budget.batch_images,
        "epochs": round(budget.num_images / budget.num_pairs, 2),
        "protocol": depth_protocol(fakes=fakes, ceiling=ceiling, test=judges.test_record, ranks=quality.ranks),
    }


def judge_depth(run: Run, judges: Judges, quality: DepthQuality, cache: Storage) -> tuple[Evaluation, TruthSet]:
    """The evaluation and the photos it is of. Estimators are found in `cache`, or trained and put there."""
    budget = _affordable(quality.budget, judges)
    truth = training_protocol(judges.teach_record, budget, run.device)
    test = judges.test()
    ceiling = _taught("truth", lambda: truth_pairs(judges.teach()), truth, budget, cache=cache, device=run.device)
    net, fakes = taught_by_fakes(run, quality.seed, budget, cache, quality.apertures)
    say("judging")
    evaluation = evaluate_depth(
        net,
        ceiling,
        test,
        prior=run.config.prior,
        ranks=quality.ranks,
        protocol=depth_protocol(fakes=fakes, ceiling=truth, test=judges.test_record, ranks=quality.ranks),
    )
    return evaluation, test


def taught_by_fakes(
    run: Run, seed: int, budget: EstimatorBudget, cache: Storage, apertures: Apertures = "uniform"
) -> tuple[Estimator, dict[str, Any]]:
    """The estimator that the run's own pairs teach, found in `cache` or trained and put there, and its protocol.

    Raises UserError where they teach nothing: a standard GAN's disparity is 0.
    """
    if run.config.method == "gan":
        raise UserError(f"{run.uri} is a standard GAN: it has no disparity to learn from")
    protocol = training_protocol(_fakes_record(run, seed, apertures), budget, run.device)
    net = _taught("fakes", lambda: fake_pairs(run, seed, apertures), protocol, budget, cache=cache, device=run.device)
    return net, protocol


def fake_pairs(run: Run, seed: int, apertures: Apertures = "uniform") -> PairSource:
    """What the generator claims: its photos and their disparity. Uniform apertures are the same for all runs, whatever
    p(s) they learned with: what is compared is what they know, not how they are asked.
    """
    dof = DofConfig(distribution="uniform") if apertures == "uniform" else run.config.dof
    asked = replace(run, config=replace(run.config, dof=dof))

    def source(start: int, count: int) -> Pairs:
        sample = asked.sample(count, seed=seed, start_index=start)
        return Pairs(sample.photo, sample.disparity)

    return source


def truth_pairs(truth: TruthSet) -> PairSource:
    def source(start: int, count: int) -> Pairs:
        part = slice(start, start + count)
        return Pairs(to_signed(torch.from_numpy(truth.images[part])), torch.from_numpy(truth.disparity[part]))

    return source


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

    def train() -> dict[str, Tensor]:
        source = pairs()
        say(f"an estimator learns from {teacher}")
        with progress_line(budget.num_images, "images") as progress:
            net = train_estimator(source, budget, device=device, progress=progress)
        return {key: tensor.cpu().contiguous() for key, tensor in net.state_dict().items()}

    net = build_estimator(budget, device)
    load_weights(net, kept(cache, teacher, protocol, train))
    return net


def _affordable(budget: EstimatorBudget, judges: Judges) -> EstimatorBudget:
    """A small set has fewer distinct pairs; then the generator gives as few."""
    return replace(budget, num_pairs=min(budget.num_pairs, judges.num_teach))


def photographed(apertures: Apertures) -> str:
    return f"R(I_d, s D), {'s uniform in [0, 1]' if apertures == 'uniform' else 's ~ p(s)'}"


def _fakes_record(run: Run, seed: int, apertures: Apertures) -> dict[str, Any]:
    return {
        "run": run.uri,
        "run_name": run_name(run.config),
        "images_seen": run.images_seen,
        "checkpoint_sha256": run.checkpoint_sha256,
        "photos": photographed(apertures),
        "seed": seed,
        "resolution": run.config.resolution,
    }


def depth_pictures(evaluation: Evaluation, test: TruthSet, d_max_px: float) -> list[tuple[str, bytes]]:
    """(caption, PNG of photo | estimate | truth) of the best, the median and the worst photos."""
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
    return pictures
