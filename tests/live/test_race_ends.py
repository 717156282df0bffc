"""A race that is ended: by Ctrl-C, by Stop, by whoever kills a run of it."""

from __future__ import annotations

import shutil
import signal
import socket
import time
from contextlib import contextmanager

import processes
import pytest
from PIL import Image
from races import heard, served, until

from comparisons.core.machine import ROOT


def test_ctrl_c_ends_it_within_two_seconds_with_streams_open():
    with served() as found, found.stream() as one, found.stream() as other:
        assert all(stream.readline().startswith(b"retry") for stream in (one, other))
        begun = time.perf_counter()
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(5) == 130
        assert time.perf_counter() - begun < 2.0
        assert found.process.stderr.read() == "Ctrl-C ends it.\n"


def begun_upload(race, content=b"half a picture"):
    """A connection on which a picture was announced, and that much of it sent."""
    sent = socket.create_connection(("127.0.0.1", race.port))
    head = (
        f"POST /try HTTP/1.1\r\nhost: 127.0.0.1:{race.port}\r\nx-race-token: {race.token}\r\n"
        "content-type: image/png\r\ncontent-length: 1000000\r\n\r\n"
    )
    sent.sendall(head.encode() + content)
    return sent


def test_uploads_that_are_cut_off_are_no_errors():
    """By who sends them, or by Ctrl-C, which ends it within two seconds all the same."""
    with served() as found:
        begun_upload(found).close()
        half = [begun_upload(found) for _ in range(3)]
        assert found.ask("GET", "/")[0] == 200
        begun = time.perf_counter()
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(5) == 130
        assert time.perf_counter() - begun < 2.0
        assert found.process.stderr.read() == "Ctrl-C ends it.\n"
        for one in half:
            one.close()


def slowly_decoded(folder):
    """Pictures that take many seconds: of 64 megapixels, in few bytes."""
    for name in ("ants", "bees"):
        (folder / name).mkdir(parents=True)
        Image.new("1", (8_000, 8_000), name == "ants").save(folder / name / "0.png")
        for number in range(1, 30):
            shutil.copy(folder / name / "0.png", folder / name / f"{number}.png")
    return folder


def test_a_stop_while_data_is_decoded_is_heard_within_two_seconds(tmp_path):
    asked = {"data": str(slowly_decoded(tmp_path / "pictures")), "arms": ["cnn:scratch"]}
    cache = tmp_path / "cache"
    with served(COMPARISONS_CACHE=str(cache)) as race, race.stream() as stream:
        told = heard(stream)
        for _ in range(2):
            assert race.ask("POST", "/start", asked)[0] == 204
            while "decoding" not in (message := next(told)[1]).get("text", ""):
                assert message.get("state") != "failed", message
            begun = time.perf_counter()
            assert race.ask("POST", "/stop")[0] == 204
            until(told, "stopped")
            assert time.perf_counter() - begun < 2.0
    # Nothing half decoded is taken for whole.
    assert {path.parent.suffix for path in cache.rglob("*.npy")} <= {".part"}


@pytest.fixture
def long_race(tiny_npz, tmp_path):
    """What asks for a race that lasts; its folder is taken away at the end."""
    data = shutil.copy(tiny_npz, tmp_path / f"{tmp_path.parent.name}.npz")
    arms = ["cnn:scratch", "tiny:frozen"]
    yield {"data": str(data), "arms": arms, "size": 200, "epochs": 500}
    shutil.rmtree(ROOT / "results" / "live" / data.name.replace(".", "-"))


@contextmanager
def racing(asked):
    """A race of which the first arm has begun to learn, and what is told of it from there on."""
    with served() as race, race.stream() as stream:
        told = heard(stream)
        assert race.ask("POST", "/start", asked)[0] == 204
        until(told, "learnt")
        yield race, told


@pytest.mark.ci
def test_ctrl_c_ends_it_within_two_seconds_with_a_race_in_hand(long_race):
    with racing(long_race) as (race, _):
        pids = [*processes.workers(race.process.pid), *processes.fork_servers(race.process.pid)]
        assert pids
        begun = time.perf_counter()
        race.process.send_signal(signal.SIGINT)
        assert race.process.wait(5) == 130
        assert time.perf_counter() - begun < 2.0
        assert race.process.stderr.read() == "Ctrl-C ends it.\n"
    assert processes.left_after(pids, 2.0) == []


@pytest.mark.ci
def test_a_run_whose_process_is_killed_has_failed_and_the_other_one_goes_on(long_race):
    with racing(long_race) as (race, told):
        (pid,) = processes.workers(race.process.pid)
        processes.end(pid, signal.SIGKILL)
        killed = until(told, "ended")[-1][1]
        assert killed["track"] == 0 and killed["status"] == "failed"
        assert "SIGKILL" in killed["error"]
        assert until(told, "learnt")[-1][1]["track"] == 1
        assert race.ask("POST", "/stop")[0] == 204
        until(told, "stopped")
