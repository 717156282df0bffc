"""A process that has loaded the framework and forks for each run, which so begins at once.

Each run has a process, a memory and an end of its own, and loads nothing. For Linux without an
accelerator: elsewhere forking what is loaded is not safe, and each run's process loads it anew.
"""

from __future__ import annotations

import gc
import importlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
from contextlib import suppress

from comparisons.core import children
from comparisons.running import worker
from comparisons.running.process import python_path

# What runs need, and what takes long to load; no part of it touches a device.
LOADED = ("comparisons.training.run", "comparisons.training.extraction", "openvino")
_ANSWER = struct.Struct("i")
_FORK = b"f"
_MAIN = "from comparisons.running.fork_server import main; main()"


class Gone(Exception):
    """The server has ended, with all that it had forked."""


class Forked:
    """A process that the server forked, as subprocess.Popen shows its own."""

    def __init__(self, pid: int, server: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server

    def poll(self) -> int | None:
        """The exit code, minus a signal's number; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            try:
                self._server.settimeout(timeout)
                self.returncode = _answer(self._server)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("a forked run", timeout or 0.0) from None
            except (Gone, OSError):  # ended, or closed meanwhile: nobody is left to say more
                self.returncode = -9
            finally:
                with suppress(OSError):
                    self._server.settimeout(None)
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, 9)


class ForkServer:
    """The server as its user sees it, who forks one process at a time; used in a `with` block."""

    def __init__(self, device: str) -> None:
        self._device = device

    def __enter__(self) -> ForkServer:
        self._complaints = tempfile.TemporaryFile()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, self._device, str(os.getpid())],
                stdin=theirs.fileno(),
                stdout=self._complaints,
                stderr=self._complaints,
                env=os.environ | {"PYTHONPATH": python_path()},
                start_new_session=True,
            )
        return self

    def fork(self, stdin: int, stdout: int, stderr: int) -> Forked:
        """A process that does a task with these as its standard files. Raises Gone."""
        try:
            socket.send_fds(self._socket, [_FORK], [stdin, stdout, stderr])
        except OSError:
            raise Gone from None
        return Forked(_answer(self._socket), self._socket)

    @property
    def runs(self) -> bool:
        """Whether the server is there, loading or loaded."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the server at once, while it loads or has forked nothing that still runs."""
        self._process.kill()
        self._process.wait()

    def __exit__(self, *error: object) -> None:
        self._socket.close()
        self.kill()
        self._complaints.close()


def _answer(server: socket.socket) -> int:
    """The next number that the server says. Raises Gone."""
    said = b""
    try:
        while len(said) < _ANSWER.size:
            if not (more := server.recv(_ANSWER.size - len(said))):
                raise Gone
            said += more
    except ConnectionError:
        raise Gone from None
    return int(_ANSWER.unpack(said)[0])


def main() -> None:
    """The server: load, then fork whenever asked, until whoever asks is gone."""
    children.end_with(int(sys.argv[2]))
    worker.prepare_to_load(sys.argv[1])
    for name in LOADED:
        with suppress(Exception):  # then each run meets it, and says so
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is loaded stays shared: no collection touches it
    asked = socket.socket(fileno=os.dup(0))
    while True:
        said, files, _, _ = socket.recv_fds(asked, len(_FORK), 3)
        if said != _FORK:
            os._exit(0)
        server = os.getpid()
        if not (pid := os.fork()):
            asked.close()
            os.setsid()
            for standard, file in enumerate(files):
                os.dup2(file, standard)
                os.close(file)
            children.end_with(server)
            worker.main()
            os._exit(1)
        for file in files:
            os.close(file)
        asked.sendall(_ANSWER.pack(pid))
        asked.sendall(_ANSWER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
