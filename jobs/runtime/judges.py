"""The photos that judge a run, and those that teach its ceiling: scenes, or two parts of a packed set with truth."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from argan.data.manifest import Manifest, read_manifest
from argan.data.truth_set import read_truth
from argan.errors import DataError
from argan.evaluation.measures import TruthSet
from argan.evaluation.scene_truth import scene_truth
from argan.judging_size import Use
from argan.scenes import SCENES_VERSION
from argan.scenes.seeds import CEILING_SEED, SELECTION_SEED, TEST_SEED
from argan.storage import Storage, open_storage
from jobs.runtime.cli import progress_line, say

SEEDS: dict[Use, int] = {"test": TEST_SEED, "selection": SELECTION_SEED}

# Of a packed set's photos, by their hashes: one in ten judges, one chooses, the others teach the ceiling.
NUM_PARTS = 10
PART: dict[Use, int] = {"test": 0, "selection": 5}


class Judges(NamedTuple):
    """Photos with truth, read or drawn when they are asked for, and the records of where they come from."""

    test: Callable[[], TruthSet]
    teach: Callable[[], TruthSet]
    num_teach: int
    test_record: dict[str, Any]
    teach_record: dict[str, Any]


def scene_judges(resolution: int, *, num_test: int, num_teach: int, use: Use = "test") -> Judges:
    """Scenes of two seeds that no training set takes. What chooses is not what tells how good the choice is."""

    def draw(seed: int, num_scenes: int) -> TruthSet:
        say(f"drawing {num_scenes:,} scenes of seed {seed}")
        with progress_line(num_scenes, "scenes") as progress:
            num_processes = torch.get_num_threads()
            return scene_truth(seed, num_scenes, resolution=resolution, num_processes=num_processes, progress=progress)

    def record(seed: int, num_photos: int) -> dict[str, Any]:
        made_by = {"scenes_version": SCENES_VERSION, "seed": seed}
        return {**made_by, "num_photos": num_photos, "resolution": resolution}

    return Judges(
        test=lambda: draw(SEEDS[use], num_test),
        teach=lambda: draw(CEILING_SEED, num_teach),
        num_teach=num_teach,
        test_record=record(SEEDS[use], num_test),
        teach_record=record(CEILING_SEED, num_teach),
    )


def set_judges(uri: str, resolution: int, *, num_test: int, num_teach: int, use: Use = "test") -> Judges:
    """A packed set, split and put in order by the photos' own hashes: the same parts however it was packed, and equal
    photos on one side.

    Raises DataError where it has no truth, another resolution or too few photos.
    """
    storage = open_storage(uri)
    manifest = read_manifest(storage, resolution=resolution)
    if not manifest.truth:
        raise DataError(f"{storage.uri} holds photos without truth: there is nothing to compare with")
    by_hash = np.argsort(manifest.sha256, kind="stable")
    part = _parts(manifest)[by_hash]
    test_rows = by_hash[part == PART[use]][:num_test]
    teach_rows = by_hash[~np.isin(part, list(PART.values()))][:num_teach]
    if len(test_rows) == 0 or len(teach_rows) == 0:
        raise DataError(
            f"{storage.uri} holds {manifest.num_samples} photos, too few to teach with some, judge by others"
        )
    # The manifest's own fingerprint is of the photos; a set with other truth is another set.
    shards_sha256 = hashlib.sha256("".join(shard.sha256 for shard in manifest.shards).encode()).hexdigest()

    def record(rows: NDArray[np.int64], which: str) -> dict[str, Any]:
        made_by = {"data": storage.uri, "shards_sha256": shards_sha256, "part": which}
        return {**made_by, "num_photos": len(rows), "resolution": resolution}

    return Judges(
        test=lambda: _read(storage, manifest, test_rows),
        teach=lambda: _read(storage, manifest, teach_rows),
        num_teach=len(teach_rows),
        test_record=record(test_rows, f"sha256[:8] % {NUM_PARTS} == {PART[use]}"),
        teach_record=record(teach_rows, f"sha256[:8] % {NUM_PARTS} not in {sorted(PART.values())}"),
    )


def can_judge_depth(manifest: Manifest, use: Use) -> bool:
    """Whether a set has photos with truth for that use, and others to teach the ceiling."""
    part = _parts(manifest)
    return manifest.truth and bool((part == PART[use]).any()) and not np.isin(part, list(PART.values())).all()


def rows_for(manifest: Manifest, use: Use) -> NDArray[np.int64]:
    """All rows, in the order in which that use takes them where only photos matter: those of its own part first, those
    of the other use last, the rest from its end of the hashes. So two uses share none, unless there are too few for
    both, and neither hangs on the order of packing.
    """
    by_hash = np.argsort(manifest.sha256, kind="stable")[:: 1 if use == "test" else -1]
    part = _parts(manifest)[by_hash]
    is_others = np.isin(part, [number for other, number in PART.items() if other != use])
    return by_hash[np.argsort(np.where(part == PART[use], 0, 1 + is_others), kind="stable")]


def _parts(manifest: Manifest) -> NDArray[np.int64]:
    """Each row's part of the set, by its photo's hash."""
    return np.array([int(digest[:8], 16) % NUM_PARTS for digest in manifest.sha256.tolist()], np.int64)


def _read(storage: Storage, manifest: Manifest, rows: NDArray[np.int64]) -> TruthSet:
    say(f"reading {len(rows):,} photos with truth from {storage.uri}")
    samples = {}
    with progress_line(len(rows), "photos") as progress:
        for sample in read_truth(storage, manifest, rows):
            samples[sample.row] = sample
            progress(len(samples), len(rows))
    ordered = [samples[row] for row in rows.tolist()]
    return TruthSet(
        images=np.stack([sample.image.transpose(2, 0, 1) for sample in ordered]),
        disparity=np.stack([sample.truth.disparity[None] for sample in ordered]),
        mask=np.stack([sample.truth.mask[None] for sample in ordered]),
        smooth=np.array([sample.truth.info.get("smooth_subject") is True for sample in ordered]),
    )
