"""What rank 0 keeps of a run while it trains: history, health, judgements, pictures, checkpoints."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

from argan.runs.best import best_images
from argan.runs.checkpoints import commit_checkpoint
from argan.runs.folder import append_history, read_history
from argan.storage import Storage
from argan.training.checkpoint import snapshot
from argan.training.loop import Tick
from argan.training.state import TrainState
from argan.viewing.pictures import png_bytes
from argan.viewing.samples import aperture_sweep, sample_grid
from jobs.runtime.guarding import Guarding
from jobs.runtime.judging import Judging


class Reporter:
    """Rank 0 writes a run down: history and pictures at once, checkpoints behind the loop's back while it goes on.

    History comes before the checkpoint of the same tick: a run that resumes there has every row up to there.
    """

    def __init__(self, state: TrainState, run: Storage, data: Storage, attempt: int) -> None:
        earlier = [row["time/elapsed_s"] for row in read_history(run) if row["images_seen"] <= state.images_seen]
        self._started_s = time.monotonic() - (earlier[-1] if earlier else 0.0)
        self._state = state
        self._run = run
        self._attempt = attempt
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: Future[None] | None = None
        self._guarding = Guarding(state, run, data)
        self._sees_collapse = False
        self._judging = Judging(state, run, data)

    def sees_collapse(self) -> bool:
        """Whether training should end at this tick; asked before it is kept."""
        self._sees_collapse = self._guarding.look()
        return self._sees_collapse

    def keep(self, tick: Tick) -> None:
        """Takes what is due at this tick. Raises what went wrong with the writing before."""
        self._wait()
        row = {"images_seen": tick.images_seen, **tick.metrics, **self._guarding.take_metrics()}
        row["time/elapsed_s"] = time.monotonic() - self._started_s
        append_history(self._run, row, attempt=self._attempt)
        if tick.takes_pictures:
            self._write_pictures(tick.images_seen)
        if tick.takes_checkpoint:
            config = self._state.config
            self._pending = self._thread.submit(
                commit_checkpoint,
                self._run,
                snapshot(self._state),
                config=config,
                device=self._state.device,
                attempt=self._attempt,
                keep=config.schedule.keep_checkpoints,
                keep_too={*best_images(read_history(self._run)).values(), *self._guarding.healthy_images},
            )
            # Not of what is given up, nor when time is up.
            is_stopped = tick.is_last and tick.images_seen < config.schedule.total_images
            if not is_stopped and not self._sees_collapse and self._judging.is_due():
                self._wait()  # who is killed while it is judged has lost a judgement and no images
                append_history(self._run, {**row, **self._judging.look()}, attempt=self._attempt)
        if tick.is_last:
            self._wait()

    def close(self) -> None:
        """Ends the thread; what it was writing is finished first."""
        self._thread.shutdown(wait=True)

    def _wait(self) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None

    def _write_pictures(self, images_seen: int) -> None:
        config, camera = self._state.config, self._state.g_ema
        self._run.write_bytes(f"pictures/grid-{images_seen:012d}.png", png_bytes(sample_grid(camera, config)))
        if camera.renderer is not None:
            self._run.write_bytes(f"pictures/sweep-{images_seen:012d}.png", png_bytes(aperture_sweep(camera, config)))
