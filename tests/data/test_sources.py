"""Whatever way photos are named, the same are found, and of a damaged tar what is whole."""

import glob
import io
import tarfile
import uuid
from pathlib import Path

import pytest
from wild_images import some_photos, tar_of, write_folder

from argan.data.sources import Item, Photo, list_source, would_list
from argan.errors import UserError
from argan.scenes.seeds import JUDGING_SEEDS
from argan.storage import open_storage
from cluster.local_s3 import LocalS3


def read(item: Item) -> bytes:
    assert isinstance(item, Photo)
    return item.storage.read_bytes(item.path, item.start, item.stop)


def test_folder_tar_and_globs_give_the_same_photos(tmp_path: Path) -> None:
    photos = some_photos(5)
    folder = write_folder(tmp_path / "in", photos)
    (tmp_path / "all.tar").write_bytes(tar_of(photos))
    (tmp_path / "part-0.tar").write_bytes(tar_of(dict(list(photos.items())[:2])))
    (tmp_path / "part-1.tar").write_bytes(tar_of(dict(list(photos.items())[2:])))
    sources = [folder, f"{folder}/*.png", f"{tmp_path}/all.tar", f"{tmp_path}/part-*.tar", f"{tmp_path}/i[n]"]
    for source in sources:
        items = list_source(source).items
        assert [read(item) for item in items] == list(photos.values()), source


def test_a_glob_gives_each_photo_once_by_a_name_that_tells_it_from_others(tmp_path: Path) -> None:
    photos = some_photos(3)
    for place, data in zip(("1.png", "a/1.png", "a/b/1.png"), photos.values(), strict=True):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / place).write_bytes(data)
    everything = list_source(str(tmp_path / "in"))
    for pattern in ("**", "**/*", "**/*.png", "[1a]*"):
        items = list_source(f"{tmp_path}/in/{pattern}").items
        assert sorted(item.name for item in items) == sorted(item.name for item in everything.items), pattern
        assert sorted(read(item) for item in items) == sorted(photos.values()), pattern


@pytest.mark.parametrize("num_members", [1, 2])
def test_a_member_of_negative_size_ends_its_tar(tmp_path: Path, num_members: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for number in range(num_members):
            tar.addfile(tarfile.TarInfo(f"{number}.png"))
        bad = tarfile.TarInfo("bad.png")
        bad.size = -512
        out.write(bad.tobuf(tarfile.GNU_FORMAT))
    (tmp_path / "bad.tar").write_bytes(out.getvalue() + bytes(1024))
    listing = list_source(str(tmp_path / "bad.tar"))
    assert len(listing.items) == num_members
    assert "-512" in listing.skipped[0].message


def test_a_name_that_storage_does_not_take_is_skipped_and_listed(tmp_path: Path) -> None:
    """As an archive made on Windows may leave it."""
    photos = some_photos(2)
    folder = Path(write_folder(tmp_path / "in", photos))
    (folder / "odd\\name.png").write_bytes(b"whatever")
    listing = list_source(str(folder))
    assert [read(item) for item in listing.items] == list(photos.values())
    assert [(entry.name, entry.reason) for entry in listing.skipped] == [("odd\\name.png", "odd name")]


@pytest.mark.parametrize("cut", ["inside a photo", "inside a header", "between photos"])
def test_of_a_cut_tar_the_whole_photos_are_kept(tmp_path: Path, cut: str) -> None:
    photos = some_photos(5)
    whole = tar_of(photos)
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        third = tar.getmembers()[2]
    stop = {
        "inside a photo": third.offset_data + 100,
        "inside a header": third.offset + 100,
        "between photos": third.offset,
    }[cut]
    (tmp_path / "cut.tar").write_bytes(whole[:stop])
    listing = list_source(str(tmp_path / "cut.tar"))
    assert [read(item) for item in listing.items] == list(photos.values())[:2]
    assert [(entry.name, entry.reason) for entry in listing.skipped] == [("cut.tar", "broken tar")]


def test_of_a_damaged_tar_the_photos_before_the_damage_are_kept(tmp_path: Path) -> None:
    damaged = bytearray(tar_of(some_photos(3)))
    with tarfile.open(fileobj=io.BytesIO(bytes(damaged))) as tar:
        second = tar.getmembers()[1]
    damaged[second.offset : second.offset + 100] = b"\xff" * 100
    (tmp_path / "damaged.tar").write_bytes(damaged)
    listing = list_source(str(tmp_path / "damaged.tar"))
    assert len(listing.items) == 1
    assert len(listing.skipped) == 1


def test_scenes_are_numbered_within_their_seed() -> None:
    assert [item[1:] for item in list_source("scenes:3@5").items] == [(5, 0), (5, 1), (5, 2)]
    assert list_source("scenes:3") == list_source("scenes:3@0")


@pytest.mark.parametrize("seed", sorted(JUDGING_SEEDS))
def test_scenes_that_judge_are_no_training_set(seed: int) -> None:
    with pytest.raises(UserError, match=f"scenes of seed {seed} judge what was learned from others"):
        list_source(f"scenes:8@{seed}")


@pytest.mark.parametrize("source", ["scenes:0", "scenes:ten", "scenes:5@x", "scenes:-3"])
def test_misspelt_scenes_are_refused(source: str) -> None:
    with pytest.raises(UserError, match=f"got '{source}'"):
        list_source(source)


def test_nothing_to_pack_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "compressed.tar").write_bytes(b"\x1f\x8b" + bytes(2000))
    for source in (str(tmp_path / "absent"), f"{tmp_path}/*.jpg", str(tmp_path / "compressed.tar")):
        with pytest.raises(UserError, match="nothing to pack at"):
            list_source(source)


@pytest.mark.s3
def test_a_bucket_is_a_folder(s3: LocalS3) -> None:
    bucket = open_storage(f"{s3.uri}/{uuid.uuid4().hex}")
    photos = some_photos(4)
    bucket.write_bytes("in/a/photo.png", photos["000.png"])
    bucket.write_bytes("in/more.tar", tar_of(photos))
    assert [read(item) for item in list_source(f"{bucket.uri}/in").items] == [photos["000.png"], *photos.values()]
    assert [read(item) for item in list_source(f"{bucket.uri}/in/more.tar").items] == list(photos.values())
    with pytest.raises(UserError, match="nothing to pack at"):
        list_source(f"{bucket.uri}/out")


@pytest.mark.parametrize(
    ("source", "out", "inside"),
    [
        ("photos", "photos/packed", True),
        ("photos", "photos", True),
        ("photos", "photos-packed", False),
        ("photos/*", "photos/packed", True),
        ("photos/*", "photos/packed/deeper", True),
        ("photos/*.jpg", "photos/packed", False),
        ("ph*s", "photos/packed", True),
        ("**/photos", "a/b/photos/packed", True),
        ("photos/**", "photos/a/b", True),
        ("photos/a-*/x", "photos/packed", False),
        ("scenes:5", "photos", False),
    ],
)
def test_what_would_become_a_photo_of_its_own_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, out: str, inside: bool
) -> None:
    """And packing asked of what is written there indeed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    uri = open_storage(out).uri
    assert would_list(source, uri) == inside
    open_storage(out).write_bytes("shards/000000.tar.json", b"{}")
    if not source.startswith("scenes:") and glob.glob(source, recursive=True):
        listed = [f"{item.storage.uri}/{item.path}" for item in list_source(source).items if isinstance(item, Photo)]
        assert f"{uri}/shards/000000.tar.json" in listed or not inside
        assert not any(path.startswith(f"{uri}/") for path in listed) or inside


def test_a_bucket_lies_inside_itself_alone() -> None:
    assert would_list("s3://bucket/photos", "s3://bucket/photos/packed")
    assert not would_list("s3://bucket/photos", "s3://bucket/photos64")


def test_a_link_to_a_folder_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    for source, place in (("link", "photos/packed"), ("photos", "link/packed"), ("link", "link")):
        assert would_list(str(tmp_path / source), str(tmp_path / place))
    assert not would_list(str(tmp_path / "link"), str(tmp_path / "packed"))
