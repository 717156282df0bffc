"""The race as a command that serves, and how tests ask it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import processes


@dataclass
class Race:
    """A race that is served: its command, port and token."""

    process: subprocess.Popen[str]
    port: int
    token: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str | None
    ) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of an answer; a header that is None is not sent."""
        sent = {"host": f"127.0.0.1:{self.port}"}
        if method == "POST":
            sent |= {"content_type": "application/json", "x_race_token": self.token}
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        if method == "POST":
            sent["content_length"] = str(len(data))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in (sent | headers).items():
                if value is not None:
                    connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(data if method == "POST" else None)
            answer = connection.getresponse()
            return (
                answer.status,
                answer.read().decode(),
                {k.lower(): v for k, v in answer.headers.items()},
            )
        finally:
            connection.close()

    @contextmanager
    def stream(self, last: int = 0) -> Iterator[http.client.HTTPResponse]:
        """The stream of events that follow the message of a number."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/events", headers={"last-event-id": str(last)})
        with connection.getresponse() as answer:
            yield answer
        connection.close()


def heard(stream: http.client.HTTPResponse) -> Iterator[tuple[int, dict[str, Any]]]:
    """The messages of a stream, each with the number that the viewer has seen by then."""
    number = 0
    for line in stream:
        if line.startswith(b"id: "):
            number = int(line[4:])
        elif line.startswith(b"data: "):
            for message in json.loads(line[6:]):
                yield number, message


@contextmanager
def served(*arguments: object, **variables: str) -> Iterator[Race]:
    """A race until the end of the block, on any port that is free."""
    process = processes.start(
        "--no-browser", "--port", 0, *arguments, module="comparisons.live", env=variables
    )
    try:
        assert process.stdout
        address, _, token = process.stdout.readline().strip().partition("/#")
        yield Race(process, int(address.rpartition(":")[2]), token)
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


Told = Iterator[tuple[int, dict[str, Any]]]


def until(told: Told, kind: str) -> list[tuple[int, dict[str, Any]]]:
    """The messages up to the first of a kind, or that says that the race is in such a state."""
    seen = []
    for number, message in told:
        seen.append((number, message))
        if kind in (message["kind"], message.get("state")):
            return seen
    raise AssertionError(f"never {kind}: {seen[-3:]}")
