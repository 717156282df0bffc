"""From a command to a page that is served, until Ctrl-C: port, address, browser, end."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import secrets
import socket
import sys
import threading
import webbrowser
from pathlib import Path
from types import FrameType

from comparisons.core.errors import ComparisonError
from comparisons.core.files import must_be_writable
from comparisons.core.interrupts import EXIT_CODE
from comparisons.core.records import Record, load_some
from comparisons.live import heats, site
from comparisons.live.contest import Contest
from comparisons.live.feed import Feed
from comparisons.live.site import Given

HOST = "127.0.0.1"
TRIES = 20  # ports, from the one that was asked for on
PATIENCE = 1.0  # seconds that a race has to end


def replay(folder: Path, port: int, browser: bool) -> int:
    """Serve the races of a folder's records. Raises ComparisonError."""
    found = heats.of_records(load_some(folder))
    return _serve(Given(live=False, heats=found), port, browser)


def save(folder: Path, target: Path) -> int:
    """Write the races of a folder's records as a page that needs no server."""
    print(f"the page: {site.save(target, heats.of_records(load_some(folder)))}")
    return 0


def race(port: int, browser: bool, data_dir: Path | None, target: Path | None) -> int:
    """Serve a page that starts races; each that ends is saved to `target`, if that is named."""
    if target:
        must_be_writable(target)

    def over(records: list[Record]) -> None:
        if target:
            site.save(target, heats.of_records(records))

    return _serve(site.choices(), port, browser, Contest(Feed(), data_dir, over, target))


def _serve(given: Given, port: int, browser: bool, contest: Contest | None = None) -> int:
    """Say the address, and serve until an interrupt. Raises ComparisonError."""
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise ComparisonError(f"{package} is not installed: pip install '.[live]' first")
    import uvicorn

    from comparisons.live.server import application

    listening = _listen(port)
    number = listening.getsockname()[1]
    token = secrets.token_urlsafe(16)
    closing = threading.Event()
    config = uvicorn.Config(
        application(given, contest, number, token, closing),
        log_config=None,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
    )

    class Server(uvicorn.Server):
        """One that ends its streams when it is told to end: it would wait for them."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            closing.set()
            # What is cut off from now on, such as half an upload, is no error of ours.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            super().handle_exit(sig, frame)

    address = f"http://{HOST}:{number}/#{token}"
    with contextlib.suppress(KeyboardInterrupt):
        if number != port != 0:
            print(f"port {port} is taken: it is {number}", file=sys.stderr)
        print(address, flush=True)
        print("Ctrl-C ends it.", file=sys.stderr)
        if browser:
            webbrowser.open(address)
        if contest:
            contest.get_ready()
        Server(config).run(sockets=[listening])
    if contest:
        contest.close(PATIENCE)
    return EXIT_CODE


def _listen(port: int) -> socket.socket:
    """A socket at a port, else at one of the next. Raises ComparisonError."""
    if not 0 <= port <= 65535:
        raise ComparisonError(f"--port {port}: ports are numbers from 0 to 65535")
    for number in range(port, min(port + TRIES, 65536)):
        made = socket.socket()
        try:
            if sys.platform != "win32":  # there it would let two have one port
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((HOST, number))
            made.listen(128)
            return made
        except OSError:
            made.close()
    raise ComparisonError(f"--port {port}: it and the next {TRIES - 1} are taken; name another")
