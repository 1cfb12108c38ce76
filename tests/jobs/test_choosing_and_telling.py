"""What chooses, checkpoints and trials, has nothing in common with what tells how good the chosen is."""

from dataclasses import replace
from pathlib import Path

import pytest
from packed_scenes import pack_scenes

from argan.data.manifest import read_manifest
from argan.judging_size import CLOSE_LOOK, TELLING_LOOK, JudgingSize
from argan.storage import open_storage
from jobs.runtime.evaluation import EvaluationRequest, small_request
from jobs.runtime.judges import can_judge_depth, scene_judges, set_judges
from jobs.runtime.judging import GLANCE
from jobs.runtime.photo_quality import PhotoQuality, real_photos


def test_what_chooses_a_checkpoint_does_not_judge_it_afterwards(scenes: str) -> None:
    """However many of a set's photos are asked for."""
    told, chosen = (set_judges(scenes, 16, num_test=10**6, num_teach=10**6, use=use) for use in ("test", "selection"))
    sources = (told.test, chosen.test, told.teach)
    photos = [[image.tobytes() for image in source().images] for source in sources]
    assert len(set().union(*photos)) == sum(len(set(each)) for each in photos)
    assert sum(map(len, photos)) == read_manifest(open_storage(scenes)).num_samples
    assert told.test_record != chosen.test_record
    assert told.teach_record == chosen.teach_record


@pytest.mark.parametrize("size", [GLANCE, CLOSE_LOOK, JudgingSize()])
def test_what_chooses_shares_no_draw_with_what_tells(size: JudgingSize) -> None:
    """Neither photos nor samples nor estimators: a lucky draw is not told of by the same draw."""
    chooses = small_request(size, has_depth=True, run_uri="run", cache_uri="cache")
    tells = EvaluationRequest(run_uri="run", cache_uri="cache")
    assert (chooses.use, tells.use) == ("selection", "test")
    for part in ("depth", "photos", "optics"):
        assert getattr(chooses, part).seed != getattr(tells, part).seed, part
    assert chooses.depth.budget.seed != tells.depth.budget.seed


def test_sweeps_that_choose_nothing_are_told_of_as_runs_are() -> None:
    telling = small_request(TELLING_LOOK, has_depth=True, run_uri="run", cache_uri="cache")
    tells = EvaluationRequest(run_uri="run", cache_uri="cache")
    assert (telling.use, telling.depth, telling.photos, telling.optics) == (
        tells.use,
        tells.depth,
        tells.photos,
        tells.optics,
    )
    assert replace(TELLING_LOOK, use="selection", seed=CLOSE_LOOK.seed) == CLOSE_LOOK


def test_photos_that_choose_by_kid_are_not_those_that_tell_of_it(photos: str) -> None:
    judges = scene_judges(16, num_test=1, num_teach=1)  # for where there is no set
    told, chosen = (
        real_photos(PhotoQuality(photos_uri=photos, num_reals=20), judges, 16, use) for use in ("test", "selection")
    )
    found = [{image.tobytes() for image in reals.read()} for reals in (told, chosen)]
    assert [len(each) for each in found] == [20, 20]
    assert not found[0] & found[1]
    assert told.record != chosen.record


def test_photos_that_choose_by_kid_do_not_judge_depth(scenes: str) -> None:
    """Not one of them, even where all others of the set are asked for."""
    judges = set_judges(scenes, 16, num_test=10**6, num_teach=1)
    judging_depth = {image.tobytes() for image in judges.test().images}
    num_others = read_manifest(open_storage(scenes)).num_samples - len(judges.test().images)
    quality = PhotoQuality(photos_uri=scenes, num_reals=num_others)
    chosen = {image.tobytes() for image in real_photos(quality, judges, 16, "selection").read()}
    assert len(chosen) == num_others
    assert not chosen & judging_depth


def test_depth_is_judged_by_sets_with_truth_for_both_sides(scenes: str, photos: str, tmp_path: Path) -> None:
    """One photo is for one side alone, whichever that is."""
    of = {uri: read_manifest(open_storage(uri)) for uri in (scenes, photos)}
    assert can_judge_depth(of[scenes], "test")
    assert can_judge_depth(of[scenes], "selection")
    assert not can_judge_depth(of[photos], "selection")
    single = read_manifest(pack_scenes(str(tmp_path), "scenes:1"))
    assert not can_judge_depth(single, "test")
    assert not can_judge_depth(single, "selection")
