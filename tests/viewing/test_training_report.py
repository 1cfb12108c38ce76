"""The training page shows what is there, whatever it is, and stands without pictures and numbers too."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import read

from argan.config import Config
from argan.errors import UserError
from argan.settings import override, run_name, to_dict
from argan.viewing.pictures import png_bytes
from argan.viewing.training_report import NUM_FRAMES, TrainingPictures, filmstrip, training_report

CONFIG = Config(preset="small-32")
PNG = png_bytes(np.zeros((4, 4, 3), dtype=np.uint8))


def row(images_seen: int, **numbers: float) -> dict[str, float]:
    return {"images_seen": images_seen, **{key.replace("__", "/"): value for key, value in numbers.items()}}


def text_of(history: list[dict[str, float]], pictures: TrainingPictures | None = None, state: str = "training") -> str:
    return read(training_report(to_dict(CONFIG), history, pictures or TrainingPictures(), state=state)).text


def test_a_run_that_has_not_begun_has_a_page() -> None:
    text = text_of([], state="starting")
    assert run_name(CONFIG) in text
    assert "starting" in text
    assert "0 of 200,000" in text
    assert "No pictures yet." in text
    assert "No numbers yet." in text


def test_every_number_is_shown_whatever_its_name() -> None:
    history = [row(4000, loss__generator=1.25, made_up__thing=7.5, alone=0.125, speed__images_per_s=100.0)]
    text = text_of(history)
    for words in ("generator 1.25", "thing 7.5", "alone 0.125", "images_per_s 100"):
        assert words in text


def test_a_group_is_cut_by_unit_and_keys_that_come_later_count() -> None:
    history = [
        row(1, speed__images_per_s=9.0),
        row(2, speed__images_per_s=8.0, speed__data_wait_share=0.5, loss__r1=1.0),
    ]
    html = training_report(to_dict(CONFIG), history, TrainingPictures(), state="training")
    assert html.count("<svg") == 3
    for title in ("speed over images seen, images/s", "speed over images seen, share", "loss over images seen"):
        assert title in html


def test_what_was_judged_has_a_chart_for_each_kind() -> None:
    """Or KID, 70 say, would flatten every share on its axis."""
    judged = {"judged/kid": 70.0, "judged/side": 0.2, "judged/disparity_error_px": 0.5}
    history = [row(8000) | judged | {"judged/ceiling.side": 0.1, "judged/gap_closed.spearman": 0.4}]
    html = training_report(to_dict(CONFIG), history, TrainingPictures(), state="training")
    for title in (
        "judged over images seen, KID x 1000",
        "judged over images seen, without unit",
        "judged over images seen, px",
        "judged/ceiling over images seen, without unit",
        "judged/gap_closed over images seen, without unit",
    ):
        assert title in html


def test_the_time_left_follows_from_the_speed_and_ends_with_the_training() -> None:
    history = [row(100_000, speed__images_per_s=100.0, speed__data_wait_share=0.011, time__elapsed_s=754.0)]
    text = text_of(history)
    assert "100,000 of 200,000 (50.0 %)" in text
    assert "time left 16 min 40 s" in text
    assert "time spent 12 min 34 s" in text
    assert "waiting for data 1.1 %" in text
    assert "time left" not in text_of(history, state="finished")


@pytest.mark.parametrize("speed", [0.0, math.nan, None])
def test_without_a_speed_there_is_no_time_left(speed: float) -> None:
    assert "time left" not in text_of([row(4000, speed__images_per_s=speed)])


def test_numbers_that_are_not_finite_are_named_and_break_nothing() -> None:
    history = [row(4000 * i, loss__generator=1.0, loss__r1=math.nan) for i in range(1, 14)] + [
        row(60_000, loss__prior=-math.inf)
    ]
    text = text_of(json.loads(json.dumps(history)))
    assert "loss/r1 at 4,000" in text
    assert "and 4 more" in text
    assert "prior not finite (-inf)" in text


def test_a_row_written_again_after_a_resume_replaces_the_first() -> None:
    text = text_of([row(8000, loss__r1=5.0), row(4000, loss__r1=3.0), row(8000, loss__r1=2.0)])
    assert "r1 2" in text
    assert "r1 5" not in text


def test_pictures_command_and_versions_are_there_and_nothing_is_loaded() -> None:
    pictures = TrainingPictures(samples=PNG, aperture_sweep=PNG, earlier=[(8000, PNG), (0, PNG)])
    command = "python jobs/train.py --preset small-32 --data s3://b/<set>"
    html = training_report(
        to_dict(CONFIG),
        [row(1, loss__r1=1.0)],
        pictures,
        state="training",
        resume_command=command,
        versions={"torch": "2.13"},
    )
    reading = read(html)
    assert len(reading.images) == 5  # samples, legend, sweep, two frames
    assert all(image["alt"] for image in reading.images)
    assert reading.text.index("0 images") < reading.text.index("8,000 images")
    assert command in reading.text
    assert "torch 2.13" in reading.text
    assert "optics.d_max_at_64_px 3" in reading.text
    assert all(load.startswith(("data:", "#")) for load in reading.loads)
    assert "-1.5 px" in html


def test_the_baseline_has_no_depth_to_talk_about() -> None:
    config = to_dict(override(CONFIG, {"method": "gan"}))
    reading = read(training_report(config, [], TrainingPictures(samples=PNG, earlier=[(0, PNG)]), state="finished"))
    assert "learns no depth" in reading.text
    assert "How depth emerged" not in reading.text
    assert len(reading.images) == 2


def test_equal_runs_give_equal_bytes() -> None:
    pages = {
        training_report(to_dict(CONFIG), [row(1, loss__r1=1.0), row(2, loss__r1=2.0)], TrainingPictures(PNG), state="x")
        for _ in range(2)
    }
    assert len(pages) == 1


def test_a_config_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match="no_such_key"):
        training_report({**to_dict(Config()), "no_such_key": 1}, [], TrainingPictures(), state="x")


@given(positions=st.lists(st.integers(0, 10**8), max_size=60))
def test_the_filmstrip_is_short_ascending_and_keeps_both_ends(positions: list[int]) -> None:
    frames = filmstrip(positions)
    assert frames == sorted(set(frames))
    assert set(frames) <= set(positions)
    assert len(frames) <= NUM_FRAMES
    if len(set(positions)) <= NUM_FRAMES:
        assert frames == sorted(set(positions))
    else:
        assert (frames[0], frames[-1]) == (min(positions), max(positions))


def test_the_filmstrip_looks_closely_at_the_beginning() -> None:
    frames = filmstrip(range(0, 1_000_000, 10_000))
    assert sum(frame < 200_000 for frame in frames) > sum(frame >= 200_000 for frame in frames)
