"""Which sets a sweep takes, and with what its trials are compared: settled before anything is trained."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_sweep import request, tiny_sweep

from argan.errors import UserError
from argan.judging_size import JudgingSize
from argan.runs.checkpoints import POINTER
from argan.storage import open_storage
from jobs.runtime.flat_numbers import flat_numbers
from jobs.runtime.rung import judging_request
from jobs.runtime.sweeping import newest_images, plan, run_sweep
from jobs.runtime.workers import Workers
from jobs.sweep import named_sweep, names

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


def test_kid_compares_with_the_sets_own_photos_and_with_other_scenes_where_it_holds_scenes(
    scenes: str, photos: str, tmp_path: Path
) -> None:
    of_photos, of_scenes = (request(data, str(tmp_path), 2) for data in (photos, scenes))
    real = {}
    for asked in (of_photos, of_scenes):
        (config,) = asked.resolved.examples().values()
        judging = judging_request(asked.resolved.judging, config, asked.uri, asked.photos_uri, use_gpu=False)
        real[asked.data_uri] = judging.photos.photos_uri
    assert real == {photos: open_storage(photos).uri, scenes: None}
    assert of_photos.resolved.judged_by == f"{of_scenes.resolved.judged_by} KID of its own photos"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"preset": "small-32", "rungs_images": (32_000,)}, "holds photos of 16 px, the run makes 32 px"),
        (
            {
                "fixed": {"data.num_lanes": 192, "data.batch_images": 192, "schedule.tick_images": 192},
                "rungs_images": (192,),
            },
            "180 samples, fewer than",
        ),
        ({"judging": JudgingSize(kid_photos=3)}, "KID needs at least 4 photos on each side"),
    ],
)
def test_what_no_trial_could_be_trained_or_judged_on_is_refused_at_once(
    changes: dict, sentence: str, scenes: str, tmp_path: Path
) -> None:
    asked = replace(request(scenes, str(tmp_path), 2), sweep=tiny_sweep(2, **changes))
    for run in (plan, run_sweep):
        with pytest.raises(UserError, match=sentence):
            run(asked)
    assert not any(tmp_path.iterdir())


def test_more_workers_than_parts_of_a_batch_are_refused_at_once(scenes: str, tmp_path: Path) -> None:
    asked = replace(request(scenes, str(tmp_path), 2), workers=Workers(minimum=1, maximum=99))
    for run in (plan, run_sweep):
        with pytest.raises(UserError, match=r"--num-workers 99 is more than data\.num_lanes = 6"):
            run(asked)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"schema": "argan-run/0"}'])
def test_where_a_damaged_pointer_stands_nobody_knows(damage: bytes, tmp_path: Path) -> None:
    """Who goes on there says what is wrong; a scheduler that raised it would look like a bug of Tune's."""
    run = open_storage(str(tmp_path))
    run.write_bytes(POINTER, damage)
    assert newest_images(run) == 0


@pytest.mark.parametrize("name", names())
def test_what_a_sweep_judges_by_is_measured(name: str) -> None:
    """By the names of a real judgement."""
    record = next((RESULTS / "five-seeds" / "judged").glob("*.json"))
    measured = flat_numbers(json.loads(record.read_text()))
    assert {objective.name for objective in named_sweep(name, {}).objectives} <= measured.keys()
