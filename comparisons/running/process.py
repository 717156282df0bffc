"""A task in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, Protocol

import msgspec

from comparisons.core import control
from comparisons.core.events import Done, Error, Event, Record
from comparisons.core.machine import ROOT
from comparisons.running.tasks import Task

# Seconds that a worker has to tidy up when it is told to stop.
GRACE = 1.0

LAST = (Record, Error, Done)  # events after which there is none
_DECODER = msgspec.json.Decoder(Event)


class Process(Protocol):
    """What is asked of a process, as subprocess.Popen answers it."""

    def poll(self) -> int | None:
        """The exit code, minus a signal's number; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""

    def kill(self) -> None:
        """End it at once."""


Start = Callable[[int, int, int], Process]  # with these as its standard files


def spawn(stdin: int, stdout: int, stderr: int) -> Process:
    """A process that has nothing loaded, and will do one task."""
    return subprocess.Popen(
        [sys.executable, "-c", "from comparisons.running.worker import main; main()"],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=os.environ | {"PYTHONPATH": python_path()},
        # Ctrl-C is for this process, which then ends the other one.
        start_new_session=True,
    )


class Worker:
    """A task in a process of its own; iterating over it gives its events as they happen.

    The last one is a record, an error, or that it is done. A process that is killed ends in an
    error that names the signal. Used in a `with` block, whose end is the end of the process.
    """

    def __init__(self, task: Task, start: Start = spawn) -> None:
        self.task = task
        self._start = start

    def __enter__(self) -> Worker:
        self._complaints = tempfile.TemporaryFile()
        hears, asked = os.pipe()
        said, says = os.pipe()
        try:
            self._process = self._start(hears, says, self._complaints.fileno())
        finally:
            os.close(hears)
            os.close(says)
            self._asked, self._said = os.fdopen(asked, "wb"), os.fdopen(said, "rb")
        self._write(self.task)
        return self

    def __iter__(self) -> Iterator[Event]:
        for line in self._said:
            if not line.endswith(b"\n"):
                break  # killed in the middle of it
            event = _DECODER.decode(line)
            yield event
            if isinstance(event, LAST):
                # Not at the end of the pipe: what a library may have started holds it open.
                return
        yield Error(_why(self._process.wait(), self._complaints))

    def send(self, message: control.Message) -> None:
        """Ask something of a run; nothing happens where the process has ended."""
        # The pipe is closed where the block has ended, and asked by another thread.
        with contextlib.suppress(ValueError):
            self._write(message)

    def kill(self) -> None:
        """End the process at once; who iterates over it hears so."""
        self._process.kill()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if it has not ended; a second time does nothing."""
        process = self._process
        try:
            if process.poll() is None:
                self.send(control.Stop())
                process.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait()
            for file in (self._asked, self._said, self._complaints):
                with contextlib.suppress(BrokenPipeError):
                    file.close()

    def _write(self, message: msgspec.Struct) -> None:
        with contextlib.suppress(BrokenPipeError):
            # Not by msgspec itself: a path may hold bytes that are no UTF-8.
            line = json.dumps(msgspec.to_builtins(message))
            self._asked.write(line.encode() + b"\n")
            self._asked.flush()


def _why(code: int, complaints: IO[bytes]) -> str:
    """One line on how a process ended: its signal, or the last thing it said."""
    if code < 0:
        hint = " (often too little memory)" if -code == signal.SIGKILL else ""
        return f"the process was ended by {signal.Signals(-code).name}{hint}"
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return f"the process ended with code {code}: {lines[-1][:300] if lines else 'no message'}"


def python_path() -> str:
    """The search path of the other process: this code first, wherever it was started."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
