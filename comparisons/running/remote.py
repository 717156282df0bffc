"""A remote control: what one thread asks of the runs that another one watches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from comparisons.core import control
from comparisons.core.events import Epoch, Event
from comparisons.running.process import GRACE, Worker


class Stopped(Exception):
    """The runs were ended because somebody asked for it."""


class Remote:
    """Pauses, plays, steps and stops whichever run of a plan is in hand, and those that follow."""

    def __init__(self) -> None:
        self.paused = False
        self.stopped = threading.Event()
        self._steps = 0  # asked for while it waits, and not yet done
        self._worker: Worker | None = None
        self._end_loading: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def pause(self) -> None:
        """Wait before the next epoch, whichever run it belongs to."""
        with self._lock:
            self.paused, self._steps = True, 0
            self._send(control.Pause())

    def play(self) -> None:
        """Go on until something else is asked for."""
        with self._lock:
            self.paused, self._steps = False, 0
            self._send(control.Play())

    def step(self) -> None:
        """One epoch more, then wait."""
        with self._lock:
            if not self.paused:
                self.paused = True
                self._send(control.Pause())
            self._steps += 1
            self._send(control.Step())

    def stop(self) -> None:
        """End the run in hand and all that follow, within a moment."""
        self.stopped.set()
        with self._lock:
            worker = self._worker
            self._send(control.Stop())
            if not worker:
                self._end_loading()
        if worker:
            # What is being loaded or computed hears nothing until it is done.
            last = threading.Timer(GRACE, self._kill, [worker])
            last.daemon = True
            last.start()

    def loading(self, end: Callable[[], object]) -> None:
        """From now on a run waits until a framework is loaded, or until `end` is called."""
        with self._lock:
            self._end_loading = end
            if self.stopped.is_set():
                end()

    def over(self, worker: Worker) -> Iterator[Event]:
        """The events of a run that this has control over. Raises Stopped when it was ended."""
        if self.stopped.is_set():
            raise Stopped
        with self._lock:
            self._worker = worker
            if self.paused:
                self._send(control.Pause())
            for _ in range(self._steps):
                self._send(control.Step())
        try:
            for event in worker:
                if self.stopped.is_set():
                    break
                if isinstance(event, Epoch):
                    with self._lock:
                        self._steps = max(self._steps - 1, 0)
                yield event
        finally:
            with self._lock:
                self._worker = None
        if self.stopped.is_set():
            raise Stopped

    def _kill(self, worker: Worker) -> None:
        with self._lock:
            if self._worker is worker:
                worker.kill()

    def _send(self, message: control.Message) -> None:
        if self._worker:
            self._worker.send(message)
