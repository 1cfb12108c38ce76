"""Verification: no fault that was planted is missed, no sound set is accused, what is mended is what was there."""

import random
from pathlib import Path

import faults
import pytest
from small_set import SmallSet, content, make_small_set, recipe

from argan.data.tuple_set import write_shard
from argan.generation.check import Fault
from argan.generation.recipe import Quality
from argan.generation.shard import make_shard
from argan.storage import open_storage

FAULTS_A_KIND = 25  # of 8 kinds: 200
SOUND_SETS = 50


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> SmallSet:
    return make_small_set(open_storage(str(tmp_path_factory.mktemp("sound"))))


@pytest.fixture
def small(sound: SmallSet, tmp_path: Path) -> SmallSet:
    """A copy to break."""
    out = open_storage(str(tmp_path / "set"))
    faults.copy(sound.out, out)
    return sound._replace(out=out)


@pytest.mark.parametrize("kind", faults.KINDS, ids=lambda kind: kind.__name__)
def test_every_fault_is_found(kind, sound: SmallSet, small: SmallSet) -> None:
    before = content(sound.out)
    for seed in range(FAULTS_A_KIND):
        kind(small, random.Random(seed))
        changed = {
            path
            for path in before.keys() | content(small.out).keys()
            if before.get(path) != content(small.out).get(path)
        }
        assert changed, f"seed {seed} changed nothing"
        found = small.faults()
        assert found, f"{kind.__name__} of seed {seed} was not found: {sorted(changed)}"
        for path in changed:
            small.out.delete(path)
            if path in before:
                small.out.write_bytes(path, before[path])


def test_no_sound_set_is_accused(tmp_path: Path) -> None:
    for seed in range(SOUND_SETS):
        rng = random.Random(seed)
        wanted = recipe(
            num_samples=rng.randrange(1, 20),
            shard_samples=rng.randrange(1, 12),
            seed=seed,
            apertures=tuple(rng.choice([0.25, 0.5, 1.0]) for _ in range(rng.randrange(1, 3))),
            random_apertures=rng.randrange(3),
            focus_px=rng.choice([0.0, -0.3]),
            truncation=rng.choice([0.0, 1.5]),
            quality=Quality(min_contrast=rng.choice([-10.0, 0.0]), min_sharpness=0.0),
        )
        assert make_small_set(open_storage(str(tmp_path / str(seed))), wanted).faults(num_rerendered=3) == []


def test_a_fault_says_where_and_what(small: SmallSet) -> None:
    small.out.write_bytes("shards/00001.tar", small.out.read_bytes("shards/00002.tar"))
    small.out.delete("shards/00000.tar")
    small.out.write_bytes("shards/notes.txt", b"")
    sentences = [str(fault) for fault in small.faults()]
    assert "shards/00000.tar: missing" in sentences
    assert "shards/00001.tar: holds what shards/00002.tar should" in sentences
    assert "shards/notes.txt: no file of the set" in sentences
    assert len(sentences) == 4  # and the hash of 00001.tar


def test_a_shallow_photo_of_another_sample_is_found_by_rendering_again(small: SmallSet) -> None:
    def exchange(members: dict[str, bytes]) -> None:
        members["shallow-1.png"] = members["deep.png"]

    faults.rewrite(small, random.Random(1), exchange)
    assert small.faults(num_rerendered=0) == []  # hashes and measures are all right
    [fault] = small.faults(num_rerendered=12)
    assert isinstance(fault, Fault)
    assert "differs from its refocused deep photo" in fault.what


def test_what_is_made_again_is_what_was_there(sound: SmallSet, small: SmallSet) -> None:
    small.out.write_bytes("shards/00002.tar", b"nothing")
    shard = make_shard(small.maker, small.terms, 2)
    write_shard(small.out, shard.record, shard.data)
    assert content(small.out) == content(sound.out)
