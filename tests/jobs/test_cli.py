"""How a job ends, and what its progress line says."""

import io
import signal
import socket
import subprocess
import sys
import textwrap

import pytest
from training_job import ROOT

from argan.errors import MissingError, UserError
from jobs.runtime.cli import Progress, run_job, say
from jobs.runtime.session import _knock, start_ray


def test_user_error_is_one_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise MissingError("nothing is at s3://bucket/flowers")

    with pytest.raises(SystemExit) as exit_:
        run_job(main)
    assert exit_.value.code == 1
    assert capsys.readouterr().err == "error: nothing is at s3://bucket/flowers\n"


def test_ctrl_c_says_how_to_go_on_and_exits_130(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as exit_:
        run_job(main)
    assert exit_.value.code == 130
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_an_end_from_outside_is_in_order_unless_it_is_ignored(ending: signal.Signals) -> None:
    """As with `ray job stop` and a closed terminal; as with `nohup`."""
    program = (
        "import signal, sys\nfrom jobs.runtime.cli import run_job\n"
        "if len(sys.argv) > 2: signal.signal(int(sys.argv[1]), signal.SIG_IGN)\n"
        "run_job(lambda: signal.raise_signal(int(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(int(ending))]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 130
    assert subprocess.run([*command, "ignored"], cwd=ROOT, check=False).returncode == 0


def test_a_bug_keeps_its_traceback() -> None:
    def main() -> int:
        raise KeyError("not the user's fault")

    with pytest.raises(KeyError):
        run_job(main)


def test_whose_reader_has_gone_says_nothing_more() -> None:
    """As with `| head -1`: more than a pipe holds, and the other end is closed after a line."""
    program = "from jobs.runtime.cli import run_job\nrun_job(lambda: print(*range(10**5), sep='\\n'))"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as job:
        assert job.stdout
        assert job.stderr
        assert job.stdout.readline() == b"0\n"
        job.stdout.close()
        assert job.stderr.read() == b""
    assert job.returncode == 141


def test_a_broken_pipe_elsewhere_is_a_bug() -> None:
    def main() -> int:
        raise BrokenPipeError("a socket")

    with pytest.raises(BrokenPipeError, match="a socket"):
        run_job(main)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_exit_code_is_what_main_returns(returned: int | None, code: int) -> None:
    with pytest.raises(SystemExit) as exit_:
        run_job(lambda: returned)
    assert exit_.value.code == code


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_progress_counts_speed_from_where_this_attempt_started() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(1000, "photos", start=600, stream=stream, clock=clock)
    clock.now_s += 10
    progress.show(700, "2 skipped")
    assert stream.getvalue() == "700/1,000 photos | 10.0 photos/s | 30 s left | 2 skipped\n"


def test_what_turns_out_to_have_been_there_is_no_speed() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(1000, "tuples", stream=stream, clock=clock)
    clock.now_s += 10
    progress.found(600)
    progress.show(700)
    assert stream.getvalue() == "700/1,000 tuples | 10.0 tuples/s | 30 s left\n"


def test_progress_away_from_a_terminal_writes_a_line_every_few_seconds() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(100, "photos", stream=stream, clock=clock)
    for done in range(100):
        clock.now_s += 0.1
        progress.show(done)
    progress.close(100)
    lines = stream.getvalue().splitlines()
    assert 2 <= len(lines) <= 3
    assert lines[-1].startswith("100/100 photos | ")
    assert "left" not in lines[-1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_said_on_a_terminal_takes_the_place_of_the_line_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress(10, "photos", clock=clock)
    clock.now_s += 1
    progress.show(3)
    say("a worker died")
    assert stream.getvalue().endswith("left\x1b[K\r\x1b[Ka worker died\n")
    monkeypatch.setattr(sys, "stderr", elsewhere := io.StringIO())
    say("a worker died")
    assert elsewhere.getvalue() == "a worker died\n"


def test_progress_on_a_terminal_rewrites_one_line() -> None:
    clock, stream = Clock(), Terminal()
    progress = Progress(10, "photos", stream=stream, clock=clock)
    for done in (1, 2, 3):
        clock.now_s += 1
        progress.show(done)
    progress.close(10)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("\r") == 4


def test_a_cluster_is_found_at_an_ipv6_address_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ray writes it, in brackets."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        _knock(f"[::1]:{server.getsockname()[1]}")


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_a_dead_cluster_is_one_sentence(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ValueError, match=f"no Ray cluster answers at RAY_ADDRESS={address}"), start_ray():
        pass


@pytest.mark.ray
@pytest.mark.parametrize("failures", [1, 2])
def test_a_ray_that_does_not_start_in_time_is_tried_once_more(
    failures: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import ray

    starts, init = [], ray.init

    def init_late(**where: object) -> object:
        starts.append(where)
        if len(starts) <= failures:
            raise RuntimeError("The current node timed out during startup.")
        return init(**where)

    monkeypatch.setattr(ray, "init", init_late)
    if failures == 2:
        with pytest.raises(UserError, match="Ray does not start here: The current node timed out"), start_ray():
            pass
    else:
        with start_ray(num_cpus=1):
            assert ray.is_initialized()
    assert len(starts) == 2
    assert "Ray did not start, it is tried once more: The current node timed out" in capsys.readouterr().err


@pytest.mark.ray
def test_a_session_gives_workers_our_code_and_hands_their_user_errors_through() -> None:
    script = textwrap.dedent("""
        import ray  # a library may have imported it before us
        from argan.errors import DataError
        from jobs.runtime.cli import run_job
        from jobs.runtime.session import start_ray

        def chdir_setting():
            import os, argan, jobs
            return os.environ["RAY_CHDIR_TO_TRIAL_DIR"]

        def fail():
            raise DataError("shard 3 is not what the manifest says")

        def main():
            with start_ray(num_cpus=1):
                assert ray.get(ray.remote(chdir_setting).remote()) == "0"
                ray.get(ray.remote(fail).remote())

        run_job(main)
    """)
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120)
    assert done.stderr == "error: shard 3 is not what the manifest says\n"
    assert done.returncode == 1
