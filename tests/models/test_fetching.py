"""Published weights: where they are, and that nothing half fetched is ever found there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import keras
import pytest
from networks import build, published

from comparisons.core.machine import ROOT
from comparisons.plan import arms
from models import catalog
from models.applications import APPLICATIONS

SMALL = (
    *("vgg16", "mobilenet@0.25x160", "mobilenet@0.5x160", "mobilenetv2", "mobilenetv3small"),
    *("resnet50v2", "efficientnetb0", "convnexttiny"),
)
LARGE = [name for name in APPLICATIONS if not any(name == s.partition("@")[0] for s in SMALL)]


@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(n, marks=pytest.mark.slow) for n in LARGE)]
)
def test_the_table_has_the_file_and_the_address_that_keras_has(name, monkeypatch):
    model = arms.parse(f"{name}:frozen").model
    build_it = getattr(keras.applications, model.application.function)
    asked: list[tuple[str, str]] = []

    def get_file(file: str, address: str, **more: Any) -> str:
        asked.append((file, address))
        raise FileNotFoundError

    monkeypatch.setattr(sys.modules["keras.src.utils.file_utils"], "get_file", get_file)
    own: dict[str, Any] = {"alpha": model.option("alpha")} if model.option("alpha") else {}
    if "mobilenet" in name:
        own["input_shape"] = (224, 224, 3)  # which it else warns that it takes
    with pytest.raises(FileNotFoundError):
        build_it(include_top=False, weights="imagenet", **own)
    assert asked == [(catalog.weights_file(model).name, catalog.weights_address(model))]
    keras.backend.clear_session()


def test_other_models_are_published_nowhere(made):
    for text in ("cnn:scratch", "tiny:frozen", f"file:{made}/mobilenet@0.25x32.json:full"):
        assert catalog.weights_address(arms.parse(text).model) is None
    handle = "https://tfhub.dev/some/model/1"
    assert catalog.weights_address(arms.parse(f"hub:{handle}:frozen").model) == handle


class Published(ThreadingHTTPServer):
    """A server of one file, which it gives whole, cut short, not to its end, or another."""

    daemon_threads = True
    content = b""
    gives = "all"
    asked: list[str]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        if self.gives == "nothing":
            request.send_error(404)
            return
        content = b"<html>Sign in</html>" if self.gives == "a page" else self.content
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        half = self.gives in ("half", "half, then nothing")
        request.wfile.write(content[: len(content) // 2] if half else content)
        request.wfile.flush()
        if self.gives == "half, then nothing":
            time.sleep(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.answer(self)

        def log_message(self, *said: Any) -> None:
            pass

    with Published(("127.0.0.1", 0), Handler) as made:
        made.asked = []
        base = build("mobilenet@0.25x32").base
        path = published(base, tmp_path_factory.mktemp("published") / "some.h5")
        made.content = path.read_bytes()
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


# Asks this server where Keras would ask another; all else is as in the process that fetches.
FETCH = """
import sys, urllib.request
real, host = urllib.request.urlretrieve, sys.argv[1]
def asked_here(address, *more):
    return real(address.replace("https://storage.googleapis.com", host), *more)
urllib.request.urlretrieve = asked_here
from comparisons.plan import arms
from models.fetching import fetch
for line in sys.stdin:
    try:
        fetch(arms.parse("mobilenet:frozen").model)
        said = "fetched"
    except OSError as error:
        said = str(error)
    print(f"\\nsaid: {said}", flush=True)  # below the progress that Keras reports
"""
FILE = "mobilenet_2_5_224_tf_no_top.h5"


def fetching(server: Published, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, f"http://127.0.0.1:{server.server_port}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=os.environ | {"KERAS_HOME": str(home)},
    )


def seen(folder: Path) -> list[str]:
    """What lies in a folder, but for locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_only_what_was_fetched_whole_and_read_is_kept(server, tmp_path):
    address = catalog.weights_address(arms.parse("mobilenet:frozen").model)
    failed = f"{address} could not be fetched"
    wrong = f"what {address} gives is not the weights of mobilenet"
    with fetching(server, tmp_path) as process:
        assert process.stdin and process.stdout

        def said() -> str:
            process.stdin.write("again\n")
            process.stdin.flush()
            lines = (line for line in process.stdout if line.startswith("said: "))
            return next(lines).removeprefix("said: ").strip()

        for gives, line in (("nothing", failed), ("half", failed), ("a page", wrong)):
            server.gives = gives
            assert said().startswith(line)
            assert seen(tmp_path / "models") == []
        server.gives = "all"
        assert said() == "fetched"
        assert seen(tmp_path / "models") == [FILE]
        assert (tmp_path / "models" / FILE).read_bytes() == server.content
        asked = len(server.asked)
        assert said() == "fetched"
        assert len(server.asked) == asked  # it is there
        process.stdin.close()
    assert set(server.asked) == {f"/tensorflow/keras-applications/mobilenet/{FILE}"}


def test_a_kill_leaves_nothing_that_is_trusted(server, tmp_path):
    server.gives = "half, then nothing"
    folder = tmp_path / "models"
    with fetching(server, tmp_path) as process:
        assert process.stdin
        process.stdin.write("once\n")
        process.stdin.flush()
        while not any(path.stat().st_size for path in folder.rglob(FILE)):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert FILE not in seen(folder)
    server.gives = "all"
    with fetching(server, tmp_path) as process:
        process.communicate("once\n")
    assert seen(folder) == [FILE]
    assert (folder / FILE).read_bytes() == server.content
