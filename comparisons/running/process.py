"""A task in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from typing import IO, Any

import msgspec

from comparisons.core.machine import ROOT


def work(task: dict[str, Any]) -> Generator[dict[str, Any]]:
    """Do a task in a process of its own and yield its answers.

    A process that is killed yields an error event that names the signal. Closing the iterator
    ends the process.
    """
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "comparisons.running.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=os.environ | {"PYTHONPATH": _python_path()},
            # Ctrl-C is for this process, which then ends the other one.
            start_new_session=True,
        )
        assert process.stdin and process.stdout
        try:
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(msgspec.json.encode(task))
            ended = False
            for line in process.stdout:
                event = msgspec.json.decode(line)
                ended = event["event"] in ("record", "error", "done")
                yield event
            code = process.wait()
            if not ended:
                yield {"event": "error", "text": _why(code, complaints), "exit_code": 1}
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


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
