"""Rank 0 judges a run while it trains, for at most a share of the time: for its curves, and to keep the best."""

import copy
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress

from argan.api import Run
from argan.data.manifest import read_manifest
from argan.errors import StorageError, passes
from argan.judging_size import JudgingSize
from argan.runs.best import JUDGED
from argan.runs.report import JUDGING_ENDED
from argan.storage import Storage
from argan.training.state import TrainState
from jobs.runtime.evaluation import judge_run, small_request
from jobs.runtime.flat_numbers import flat_numbers
from jobs.runtime.judges import can_judge_depth

log = logging.getLogger(__name__)

GLANCE = JudgingSize(num_photos=250, kid_photos=250, estimator_images=8_000, estimator_pairs=2_000)
DEPTH_COST_IMAGES, KID_COST_IMAGES = 3_000, 1_000
"""What a judgement is taken to cost before there was one, in images of training, which are slow where judging is slow:
2,400 at 32 px and 3,000 at 64 px; of KID alone 500 at 64 px (docs/LOG.md, 2026-11-28 and 29). On a GPU, where images
are fast and the ranks of 250 photos are not, the first may take more than its share (by arithmetic: none was made there
yet).
"""


class Judging:
    """KID against the photos that the run is trained on, and depth where these have truth. Smaller than what
    jobs/evaluate.py does afterwards, on the set's own photos: the numbers compare with each other.

    Where it cannot be done, it ends and the page says why; where storage stays away, it is tried again when due. It
    takes at most config.schedule.judging_share of the time since this worker began, as far as a judgement costs
    what the one before did, and keeps enough of it back for the last checkpoint. The first is taken to cost twice: the
    ceiling is trained and real photos are looked at only once. Where workers are begun anew, after a failure or for
    another number of them, all of this begins anew.
    """

    def __init__(
        self, state: TrainState, run: Storage, data: Storage, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = state
        self._run = run
        self._cache = run.child("judging")
        has_truth = state.config.method == "ar-gan" and can_judge_depth(read_manifest(data), GLANCE.use)
        self._request = small_request(
            GLANCE,
            has_depth=has_truth,
            photos_uri=data.uri,
            run_uri=run.uri,
            cache_uri=self._cache.uri,
            data_uri=data.uri if has_truth else None,
            use_gpu=state.device.type == "cuda",
        )
        self._run.delete(JUDGING_ENDED)  # an earlier worker's
        self._clock = clock
        self._started_s, self._started_images = clock(), state.images_seen
        self._spent_s = 0.0
        self._guess_images = DEPTH_COST_IMAGES if has_truth else KID_COST_IMAGES
        self._cost_s: float | None = None  # of one that is not the first
        self._tidy()  # what a worker that was killed has left is of other weights at as many images
        self._is_first = not any(self._cache.list())
        self._broke = False

    def is_due(self) -> bool:
        """Whether there is time for a judgement now, and it can be done as far as is known."""
        schedule, images_seen = self._state.config.schedule, self._state.images_seen
        images = images_seen - self._started_images
        if self._broke or not schedule.judging_share or not images:
            return False
        passed_s = self._clock() - self._started_s
        later_s = self._guess_images * passed_s / images if self._cost_s is None else self._cost_s
        cost_s = 2 * later_s if self._is_first else later_s
        kept_back_s = later_s if images_seen < schedule.total_images else 0.0
        return self._spent_s + cost_s + kept_back_s <= schedule.judging_share * passed_s

    def look(self) -> dict[str, float]:
        """What the moving average is worth now, by "judged/NAME"; nothing where it could not be judged."""
        started_s = self._clock()
        try:
            values = flat_numbers(judge_run(self._now(), self._request)[0])
        except Exception as error:  # training goes on: it is not for the judgement's sake
            self._spent_s += self._clock() - started_s
            if passes(error):
                log.warning("at %s images the run was not judged: %s", self._state.images_seen, error)
            else:
                self._end(error)
            return {}
        finally:
            self._tidy()
        took_s = self._clock() - started_s
        self._spent_s += took_s
        self._cost_s = took_s / 2 if self._is_first else took_s
        self._is_first = False
        return {
            f"{JUDGED}{name}": value for name, value in values.items() if value is not None and math.isfinite(value)
        }

    def _tidy(self) -> None:
        """Deletes estimators taught by moments that nobody comes back to, where storage answers."""
        with suppress(StorageError):
            for entry in list(self._cache.list("fakes-")):
                self._cache.delete(entry.path)

    def _end(self, error: Exception) -> None:
        """Nobody sees what a worker logs, so the run's page says it."""
        self._broke = True
        text = f"ended at {self._state.images_seen:,} images, could not be done: {str(error) or type(error).__name__}"
        with suppress(StorageError):
            self._run.write_bytes(JUDGING_ENDED, text.encode())

    def _now(self) -> Run:
        """The state as a run to sample from."""
        state = self._state
        camera = copy.deepcopy(state.g_ema).float()
        return Run(self._run.uri, state.config, state.images_seen, "", camera, state.device)
