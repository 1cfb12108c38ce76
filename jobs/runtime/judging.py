"""Rank 0 judges a run while it trains, for at most a share of the time: for its curves, and to keep the best."""

import copy
import logging
import math
import time
from collections.abc import Callable

from argan.api import Run
from argan.data.manifest import read_manifest
from argan.errors import UserError
from argan.runs.best import JUDGED
from argan.search.sweep import JudgingSize
from argan.storage import Storage
from argan.training.state import TrainState
from jobs.runtime.evaluation import judge_run, small_request
from jobs.runtime.numbers import numbers

log = logging.getLogger(__name__)

FIRST_COST_S = 30.0  # what a judgement is taken to cost before there was one


class Judging:
    """KID against the photos that the run is trained on, and depth where these have truth. Smaller than what
    jobs/evaluate.py does afterwards, on the set's own photos: the numbers compare with each other.
    """

    def __init__(
        self, state: TrainState, run: Storage, data: Storage, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = state
        self._run = run
        self._cache = run.child("estimators")
        has_truth = bool(read_manifest(data).truth) and state.config.method == "ar-gan"
        self._request = small_request(
            JudgingSize(),
            photos_uri=data.uri,
            run_uri=run.uri,
            cache_uri=self._cache.uri,
            data_uri=data.uri if has_truth else None,
            parts=("depth", "kid") if has_truth else ("kid",),
            use_gpu=state.device.type == "cuda",
        )
        self._clock = clock
        self._started_s = clock()
        self._spent_s, self._cost_s = 0.0, FIRST_COST_S

    def look(self) -> dict[str, float]:
        """What the moving average is worth now, by "judged/NAME"; nothing while another judgement would be more than
        config.schedule.judging_share of the time since this attempt began.
        """
        share, now_s = self._state.config.schedule.judging_share, self._clock()
        if not share or self._spent_s + self._cost_s > share * (now_s - self._started_s):
            return {}
        try:
            values = numbers(judge_run(self._now(), self._request)[0])
        except UserError as error:  # training goes on: it is not for its sake
            log.warning("the run could not be judged at %s images: %s", self._state.images_seen, error)
            values = {}
        for entry in list(self._cache.list("fakes-")):
            self._cache.delete(entry.path)  # of a moment that nobody comes back to
        self._cost_s = self._clock() - now_s
        self._spent_s += self._cost_s
        return {
            f"{JUDGED}{name}": value for name, value in values.items() if value is not None and math.isfinite(value)
        }

    def _now(self) -> Run:
        """The state as a run to sample from."""
        state = self._state
        camera = copy.deepcopy(state.g_ema).float()
        return Run(self._run.uri, state.config, state.images_seen, "", camera, state.device)
