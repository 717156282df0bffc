"""How soon a race is on the projector: its page after the command, its first point after Start."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing

from comparisons.benchmarks.measure import Result, Side, result, within
from comparisons.core.machine import ROOT

ROUNDS = 5
ASKED = {"data": "cifar10", "arms": ["cnn:scratch", "mobilenet:frozen"], "size": 2000}
LATER = 10.0  # seconds that somebody takes to say what they predict
PAGE = "the page, after the command"
POINT, POINT_LATER = "the first point, Start pressed at once", "the same, ten seconds later"
LIMITS = {PAGE: 1.0, POINT: 8.0, POINT_LATER: 8.0}  # seconds


def run(rounds: int) -> Result:
    """A race of the preset `demo`'s arms, begun again and again; its data are decoded before."""
    taken: dict[str, list[float]] = {name: [] for name in LIMITS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds + 1):
            page, at_once = _begun(folder, 0.0)
            _, later = _begun(folder, LATER)
            for name, seconds in zip(LIMITS, (page, at_once, later), strict=True):
                taken[name].append(seconds)
    # The first round decoded the data.
    sides = [
        Side(
            name, seconds[1:], notes={f"limit {LIMITS[name]} s": within(seconds[1:], LIMITS[name])}
        )
        for name, seconds in taken.items()
    ]
    return result("race", "How soon is a race on the projector?", sides, [])


def _begun(folder: str, pause: float) -> tuple[float, float]:
    """Seconds to the page and, after a pause, from Start to the first point of a race.

    Its results and cache are in a folder.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "comparisons.live", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | {"COMPARISONS_CACHE": f"{folder}/cache", "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout
        address, _, token = process.stdout.readline().strip().partition("/#")
        host = address.removeprefix("http://")
        with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
            connection.request("GET", "/")
            connection.getresponse().read()
        page = time.perf_counter() - started
        time.sleep(pause)
        return page, _first_point(host, token)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def _first_point(host: str, token: str) -> float:
    with (
        closing(http.client.HTTPConnection(host, timeout=300)) as stream,
        closing(http.client.HTTPConnection(host, timeout=60)) as start,
    ):
        stream.request("GET", "/events")
        told = stream.getresponse()
        started = time.perf_counter()
        headers = {"content-type": "application/json", "x-race-token": token}
        start.request("POST", "/start", json.dumps(ASKED), headers)
        if start.getresponse().status >= 300:
            raise RuntimeError("the race did not start")
        messages = (json.loads(line[6:]) for line in told if line.startswith(b"data: "))
        for several in messages:
            if any(message["kind"] == "learnt" for message in several):
                return time.perf_counter() - started
    raise RuntimeError("no point ever came")
