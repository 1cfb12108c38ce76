"""The record beside every value: what it was computed with. A metric without its protocol is not a metric."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from argan.evaluation.alignment import DISPARITY_THERE_WIDTHS, FACTORS, FARTHEST
from argan.evaluation.estimation import RECIPE, EstimatorBudget
from argan.evaluation.measures import RankSettings
from argan.versions import platform_facts, versions

PROTOCOL = "argan-evaluation/5"  # a change of what any measure says is a new protocol


def training_protocol(source: Mapping[str, Any], budget: EstimatorBudget, device: torch.device) -> dict[str, Any]:
    """All that an estimator's weights depend on: where its pairs come from, what it may spend, and on what it ran."""
    return {
        "source": dict(source),
        "estimator": {"recipe": RECIPE, **asdict(budget)},
        "platform": {**platform_facts(device), **versions()},
    }


def depth_protocol(
    *, fakes: Mapping[str, Any], ceiling: Mapping[str, Any], test: Mapping[str, Any], ranks: RankSettings
) -> dict[str, Any]:
    """The record of one evaluation. `fakes` and `ceiling` are training protocols; they differ in their source alone."""
    return {
        "protocol": PROTOCOL,
        "alignment": "ranks: none; sizes: one positive number, fitted on every fifth photo, judged on the others",
        "side": {"farthest": FARTHEST, "disparity_there_widths": DISPARITY_THERE_WIDTHS, "num_factors": len(FACTORS)},
        "test": dict(test),
        "fakes": dict(fakes["source"]),
        "ceiling": dict(ceiling["source"]),
        "estimator": dict(fakes["estimator"]),
        "ranks": asdict(ranks),
        "platform": dict(fakes["platform"]),
    }


def protocol_hash(protocol: Mapping[str, Any]) -> str:
    """The same protocol, the same name: what a kept estimator is found by."""
    return hashlib.sha256(json.dumps(protocol, sort_keys=True).encode()).hexdigest()[:16]
