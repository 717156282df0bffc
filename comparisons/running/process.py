"""A task in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO

import msgspec

from comparisons.core import control
from comparisons.core.events import Done, Error, Event, Ready, Record
from comparisons.core.machine import ROOT
from comparisons.running.tasks import Task

# Seconds that a worker has to tidy up when it is told to stop.
GRACE = 1.0

LAST = (Record, Error, Done)  # events after which there is none
_DECODER = msgspec.json.Decoder(Event)


class Worker:
    """A task in a process of its own; iterating over it gives its events as they happen.

    The last one is a record, an error, or that it is done. A process that is killed ends in an
    error that names the signal. One that trains waits, once it is ready, until it is asked for
    them. Used in a `with` block, whose end is the end of the process.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._heard: list[Event] = []

    def __enter__(self) -> Worker:
        self._complaints = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from comparisons.running.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=os.environ | {"PYTHONPATH": _python_path()},
            # Ctrl-C is for this process, which then ends the other one.
            start_new_session=True,
        )
        self._write(self.task)
        return self

    def wait_until_ready(self) -> None:
        """Return once all is loaded that a run needs, or when there will be no run."""
        for event in self._events():
            self._heard.append(event)
            if isinstance(event, Ready):
                return

    def __iter__(self) -> Iterator[Event]:
        self._write(control.Go())
        heard, self._heard = self._heard, []
        yield from heard
        if not heard or not isinstance(heard[-1], LAST):
            yield from self._events()

    def _events(self) -> Iterator[Event]:
        assert self._process.stdout
        for line in self._process.stdout:
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
        self._write(message)

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
            for pipe in (process.stdin, process.stdout, self._complaints):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]

    def _write(self, message: msgspec.Struct) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            # Not by msgspec itself: a path may hold bytes that are no UTF-8.
            line = json.dumps(msgspec.to_builtins(message))
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()


def _why(code: int, complaints: IO[bytes]) -> str:
    """One line on how a process ended: its signal, or the last thing it said."""
    if code < 0:
        hint = " (often too little memory)" if -code == signal.SIGKILL else ""
        return f"the process was ended by {signal.Signals(-code).name}{hint}"
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return f"the process ended with code {code}: {lines[-1][:300] if lines else 'no message'}"


def _python_path() -> str:
    """The search path of the other process: this code first, wherever it was started."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
