"""The race's server, asked as a browser, a script and another site would ask it."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import socket
import sys
import time
import urllib.request
from functools import partial

import factory
import processes
import pytest
from PIL import Image
from races import heard, served, until

from comparisons.core import records
from comparisons.core.machine import ROOT
from comparisons.findings import experience
from comparisons.live import site
from comparisons.live.__main__ import main

CHANGES = ("start", "pause", "play", "step", "stop")
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each run loads anew")


HEAVY = "keras tensorflow jax openvino matplotlib scipy"
LOADS = (
    "import sys, comparisons.live.serving, comparisons.live.server, uvicorn; print(*sys.modules)"
)


def test_the_page_is_there_before_anything_heavy_is_loaded(spawn):
    loaded, _ = spawn(LOADS).communicate(timeout=60)
    assert "starlette" in loaded.split()
    assert not set(HEAVY.split()) & set(loaded.split())


def test_everything_the_page_asks_for_is_there_and_small(race):
    status, html, headers = race.ask("GET", "/")
    assert status == 200 and headers["content-type"].startswith("text/html")
    asked = re.findall(r'(?:src|href)="([^":]+)"', html)
    assert {*site.FILES, "data.js"} == set(asked)
    sizes = [len(race.ask("GET", f"/{name}")[1].encode()) for name in site.FILES]
    assert sum(sizes) < 60_000
    for name in asked:
        kind = race.ask("GET", f"/{name}")[2]["content-type"].split(";")[0]
        assert kind == ("text/css" if name.endswith(".css") else "text/javascript")


def test_nothing_else_is(race):
    for path in (
        "/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/index.html", "/race.css/",
        "/start", "/pause", "/docs",
    ):  # fmt: skip
        assert race.ask("GET", path)[0] in (404, 405), path


def test_every_answer_keeps_browsers_from_everything_else(race):
    for method, path, more in (
        ("GET", "/", {}),
        ("GET", "/nothing", {}),
        ("GET", "/", {"host": "evil.example"}),
        ("POST", "/pause", {"x_race_token": "no"}),
    ):
        _, _, headers = race.ask(method, path, **more)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "set-cookie" not in headers and "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/", "/data.js", "/events"])
def test_a_name_that_was_made_to_point_here_is_refused(race, path):
    rebound = ("evil.example", f"evil.example:{race.port}", "127.0.0.1.evil.example", "127.0.0.1")
    for host in (*rebound, "", None):
        assert race.ask("GET", path, host=host)[0] in (400, 421), host
    assert race.ask("GET", "/", host=f"localhost:{race.port}")[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_race_token": None}, 403),
        ({"x_race_token": ""}, 403),
        ({"x_race_token": "stale-token-of-a-server-before"}, 403),
        ({"x_race_token": "tök"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://127.0.0.1:{port}"}, 403),
        ({"origin": "http://localhost:{port}"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": None}, 415),
        ({"content_length": "20001"}, 413),
        ({"content_length": "00000000099999999999"}, 413),
        ({"transfer_encoding": "chunked"}, 413),
        ({"content_length": None, "transfer_encoding": "chunked"}, 413),
    ],
)
def test_no_change_without_all_that_it_needs(race, headers, status):
    sent = {k: v and v.replace("{port}", str(race.port)) for k, v in headers.items()}
    for change in (*CHANGES, "inside"):
        assert race.ask("POST", f"/{change}", **sent)[0] == status, change


def test_changes_without_a_race_change_nothing(race):
    for change in CHANGES[1:]:
        asked = race.ask("POST", f"/{change}", origin=f"http://127.0.0.1:{race.port}")
        assert asked[0] == 204, change
    assert "The race: ready." in race.ask("GET", "/")[1]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff", b"[" * 10_000, {"arms": "cnn:scratch"}, {"arms": ["x"] * 9},
        {"size": "many"}, {"out": "/etc"}, {"arms": ["cnn:nothing"]}, {"preset": "none"},
        {"epochs": 0}, {"seed": -1}, {"preset": "curve"}, {"arms": ["a" * 501]}, {"seed": 10**30},
        {"data": "a\0.npz"}, {"data": "a\ud800.csv"}, {"data": ""}, {"data": "nothing"},
    ],
)  # fmt: skip
def test_what_cannot_be_started_is_said_in_one_line(race, body):
    status, said, _ = race.ask("POST", "/start", body)
    assert status == 400 and len(said.strip().splitlines()) == 1, said
    assert "The race: ready." in race.ask("GET", "/")[1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"content_type": "text/html"}, 415),
        ({"content_type": "image/png", "x_race_token": None}, 403),
        ({"content_type": "image/png", "origin": "http://evil.example"}, 403),
        ({"content_type": "image/png", "content_length": "25000001"}, 413),
        ({"content_type": "image/png"}, 400),
    ],
)
def test_a_picture_is_asked_about_with_all_that_it_needs_and_once_there_are_networks(
    race, headers, status
):
    found, said, _ = race.ask("POST", "/try", b"picture", **headers)
    assert found == status and len(said.splitlines()) == 1
    assert status != 400 or "no network has been trained yet" in said


def test_networks_are_looked_into_once_there_are_some(race):
    status, said, _ = race.ask("POST", "/inside")
    assert (status, said.count("\n")) == (400, 1) and "no network has been trained yet" in said
    assert race.ask("GET", "/inside")[0] in (404, 405)


@linux
def test_what_every_run_needs_is_loaded_before_a_start():
    """By a process of its own, which ends with the page; the page does not wait for it."""
    with served() as found:
        assert found.ask("GET", "/")[0] == 200
        (server,) = processes.fork_servers(found.process.pid)
    assert processes.left_after([server], 2.0) == []


def test_a_port_that_is_taken_gives_way_to_the_next_and_that_is_said(tmp_path):
    records.save(factory.record("cnn:scratch"), tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        asked = ("--replay", tmp_path, "--no-browser", "--port", port)
        process = processes.start(*asked, module="comparisons.live")
        assert process.stdout
        address = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    number = int(re.findall(r":(\d+)/#", address)[0])
    assert port < number < port + 20
    assert f"port {port} is taken: it is {number}" in said
    assert process.returncode == 130


def test_what_cannot_be_replayed_or_served_is_said_in_one_line(tmp_path, capsys):
    for flag, value in (("--replay", tmp_path), ("--replay", tmp_path / "no"), ("--port", 99999)):
        assert main([flag, str(value), "--no-browser"]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_page_is_saved_with_hostile_texts_kept_as_data(tmp_path, capsys):
    hostile = "</script><script>alert(1)</script>\u2028'\""
    made = factory.record("cnn:scratch", notices=[hostile], error=hostile)
    records.save(made, tmp_path / "from")
    assert main(["--replay", str(tmp_path / "from"), "--save", str(tmp_path / "to")]) == 0
    assert str(tmp_path / "to" / "index.html") in capsys.readouterr().out
    assert "<script>alert" not in (tmp_path / "to" / "index.html").read_text()
    said = (tmp_path / "to" / "data.js").read_text()
    assert "\u2028" not in said
    given = json.loads(said.removeprefix("const GIVEN = ").removesuffix(";\n"))
    assert hostile.replace("\u2028", "") in given["heats"][0]["notices"][0].replace("\u2028", "")


def test_a_folder_that_cannot_be_written_is_said_with_code_1(tmp_path, capsys):
    records.save(factory.record("cnn:scratch"), tmp_path)
    (tmp_path / "file").write_text("")
    assert main(["--replay", str(tmp_path), "--save", str(tmp_path / "file")]) == 1
    assert "--save" in capsys.readouterr().err


def _pictures_are_answered_by_both(whole):
    """Twelve held-out pictures are shown, and after each look both arms say what they are."""
    (shown,) = (m["pictures"] for m in whole if m["kind"] == "shown")
    assert len(shown) == 12
    assert all(one["image"].startswith("data:image/png;base64,") for one in shown)
    told = [m for m in whole if m["kind"] == "answered"]
    assert {m["track"] for m in told} == {0, 1}
    classes = {one["truth"] for one in shown}
    for message in told:
        assert len(message["answers"]) == 12
        assert all(0 < said["certainty"] <= 1 for said in message["answers"])
    # Stripes are easy: at the end they know most of what nobody trained on.
    right = [
        said["called"] == one["truth"] for said, one in zip(told[-1]["answers"], shown, strict=True)
    ]
    assert len(classes) > 1 and sum(right) > 6


def _networks_answer(race):
    """A picture is answered by every arm; what is none is said to be none, and asked no more."""
    file = io.BytesIO()
    Image.new("RGB", (200, 120), "red").save(file, "JPEG")
    post = partial(race.ask, "POST", "/try", content_type="image/jpeg")
    status, said, _ = post(file.getvalue())
    assert status == 200, said
    found = json.loads(said)
    assert [one["label"] for one in found] == ["cnn:scratch", "tiny:frozen"]
    assert all(0 < one["certainty"] <= 1 and isinstance(one["sure"], bool) for one in found)
    with urllib.request.urlopen(found[0]["seen"]) as uri, Image.open(uri) as seen:
        assert seen.getpixel((3, 3))[0] > 200 and seen.width == seen.height
    huge = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(huge, "PNG")
    status, refused, _ = post(huge.getvalue())
    assert (status, len(refused.splitlines())) == (400, 1) and "pixels" in refused
    assert all(one["looked"].startswith("data:image/png;base64,") for one in found)
    assert [len(one["found"]) for one in found] == [16, 16]
    status, said, _ = post(b"not a picture")
    assert (status, len(said.splitlines())) == (400, 1) and "no picture" in said
    assert post(file.getvalue())[1] == json.dumps(found, separators=(",", ":"))


def _networks_are_looked_into(race):
    """Filters, what they find, and held-out pictures in the plane, of every arm."""
    status, said, _ = race.ask("POST", "/inside")
    assert status == 200, said
    told = json.loads(said)
    assert len(told["pictures"]) == 30  # a tenth of 300 training images
    assert [arm["label"] for arm in told["arms"]] == ["cnn:scratch", "tiny:frozen"]
    for arm in told["arms"]:
        assert arm["filters"] and len(arm["found"]) == 16 and len(arm["plane"]) == 30
        assert 0.5 < arm["alike"] <= 1  # of stripes that it has learnt, in three classes
    assert race.ask("POST", "/inside")[1] == said


@pytest.mark.slow
def test_a_race_is_paused_stepped_seen_late_and_stopped(tiny_npz):
    arms = ["cnn:scratch", "tiny:frozen"]
    asked = {"data": str(tiny_npz), "arms": arms, "size": 100, "epochs": 4}
    with served() as race, race.stream() as first, race.stream() as second:
        assert race.ask("POST", "/start", asked)[0] == 204
        assert race.ask("POST", "/start", asked)[0] == 409
        assert race.ask("POST", "/pause")[0] == 204
        told = heard(first)
        ready = processes.fork_servers(race.process.pid)
        for epoch in (1, 2):
            assert race.ask("POST", "/step")[0] == 204
            number, learnt = until(told, "learnt")[-1]
            assert learnt["point"]["epoch"] == epoch
            time.sleep(1.0)  # long enough for all the rest, were it not to wait
        assert race.ask("POST", "/play")[0] == 204
        *_, (_, third) = until(told, "learnt")
        assert third["point"]["epoch"] == 3
        seen = [third, *(message for _, message in until(told, "over"))]
        with race.stream() as late, race.stream(number) as again:
            whole = [message for _, message in until(heard(late), "over")]
            rest = [message for _, message in until(heard(again), "over")]
        assert [message for _, message in until(heard(second), "over")][-len(whole) :] == whole
        assert whole[-len(seen) :] == seen and whole[-len(rest) :] == rest
        assert learnt not in rest
        assert [m["point"]["epoch"] for m in whole if m["kind"] == "learnt"] == [1, 2, 3, 4] * 2
        assert [m["test"] is not None for m in whole if m["kind"] == "ended"] == [True, True]
        _pictures_are_answered_by_both(whole)
        _networks_answer(race)
        _networks_are_looked_into(race)
        assert processes.fork_servers(race.process.pid) == ready
        assert race.ask("POST", "/start", asked)[0] == 204
        assert race.ask("POST", "/stop")[0] == 204
        until(told, "stopped")
    (folder,) = (ROOT / "results" / "live").glob("stripes*")
    found, _ = records.load_all(folder)
    shutil.rmtree(folder)
    assert all(record.settings.live for record in found)
    paused = {record.model: record.paused for record in found}
    assert paused["cnn"] > 1.5 and paused["tiny"] < 1.0
    assert experience.points(found) == []
