"""A live race: one comparison at a time in a thread of its own, told to a feed."""

from __future__ import annotations

import importlib
import io
import re
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from rich.console import Console

from comparisons.core import events
from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.records import Record
from comparisons.data import catalog
from comparisons.live import feed, heats
from comparisons.live.asking import Inside, Networks, Said, kept
from comparisons.live.feed import Feed, State
from comparisons.plan.request import Request, check
from comparisons.running import runner
from comparisons.running.remote import Remote, Stopped
from comparisons.running.runner import Processes

Word = Annotated[str, Meta(max_length=500)]
Over = Callable[[list[Record]], object]
DEVICE = "auto"
OUT = Path("results", "live")  # git ignores it, and no evidence lies there


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks for when it starts a race; what is left out the preset decides."""

    arms: Annotated[list[Word], Meta(max_length=8)] = []
    data: Word = "auto"
    classes: Annotated[list[Word], Meta(max_length=100)] = []
    preset: Word = "demo"
    size: int | None = None
    epochs: int | None = None
    seed: int = 0

    def request(self, data_dir: Path | None) -> Request:
        """The same as a command would ask for it."""
        return Request(
            arms=tuple(self.arms) or None,
            data=self.data,
            classes=tuple(self.classes),
            preset=self.preset,
            train_sizes=None if self.size is None else (self.size,),
            epochs=self.epochs,
            seeds=(self.seed,),
            data_dir=data_dir,
            device=DEVICE,
            live=True,
            command="python -m comparisons.live",
        )


class Busy(Exception):
    """A race is under way; the message says so."""


class Contest:
    """Starts, pauses, steps and stops races, one at a time.

    `over` is called with the records of each that ended by itself; `target` is the folder that it
    writes to, if any.
    """

    def __init__(
        self,
        told: Feed,
        data_dir: Path | None = None,
        over: Over = lambda records: None,
        target: Path | None = None,
    ) -> None:
        self.feed = told
        self._data_dir = data_dir
        self._over, self._target = over, target
        self._lock = threading.Lock()
        self._race: _Race | None = None
        self._processes = Processes()

    def get_ready(self) -> None:
        """Load what every race needs while nobody waits for it: then Start costs only the run."""
        self._processes.load(DEVICE)
        threading.Thread(target=_import, daemon=True).start()

    def start(self, asked: Asked) -> None:
        """Begin a race. Raises Busy while there is one, ComparisonError for what cannot be."""
        request = asked.request(self._data_dir)
        preset, _ = check(request)
        catalog.must_be_known(request.data, "auto")
        for folder in (OUT, self._target):
            catalog.must_lie_outside(request.data, folder, "the folder")
        if request.train_sizes is None and len(preset.train_sizes) > 1:
            raise ComparisonError(f"preset {asked.preset} has several sizes: name one of them")
        with self._lock:
            if self._race and self._race.thread.is_alive():
                raise Busy("a race is under way: stop it first")
            if self._race:
                self._race.forget()
            self._processes.load(DEVICE)  # by now it is there, unless a Stop ended it
            self._race = _Race(request, self.feed, self._over, self._processes)

    def pause(self) -> None:
        """Wait before the next epoch."""
        if race := self._running():
            race.remote.pause()
            self.feed.tell(State("paused", "waits before the next epoch"))

    def play(self) -> None:
        """Go on."""
        if race := self._running():
            race.remote.play()
            self.feed.tell(State("running"))

    def step(self) -> None:
        """One epoch more, then wait."""
        if race := self._running():
            race.remote.step()
            self.feed.tell(State("paused", "one epoch more, then it waits"))

    def stop(self) -> None:
        """End the race in hand without a result."""
        if race := self._running():
            self.feed.tell(State("stopping", "stopping"))
            race.remote.stop()

    def say(self, content: bytes) -> list[Said]:
        """What each network of the race that is over says of a picture. Raises ComparisonError."""
        return self._networks().say(content)

    def inside(self) -> Inside:
        """What is inside the networks of the race that is over. Raises ComparisonError."""
        return self._networks().inside()

    def close(self, seconds: float) -> None:
        """The same, and wait until it has ended, for so many seconds at most."""
        self.stop()
        if self._race:
            self._race.thread.join(seconds)
            self._race.forget()
        self._processes.close()

    def _networks(self) -> Networks:
        race = self._race
        if race is None or race.networks is None:
            raise ComparisonError("no network has been trained yet: let a race come to its end")
        return race.networks

    def _running(self) -> _Race | None:
        race = self._race
        return race if race and race.thread.is_alive() else None


class _Race:
    """A race in hand: its thread, the remote control of its runs, and at its end its networks."""

    def __init__(self, request: Request, told: Feed, over: Over, processes: Processes) -> None:
        self.remote = Remote()
        self.networks: Networks | None = None
        self._request, self._feed, self._over = request, told, over
        self._processes = processes
        self._tracks: list[heats.Track] = []
        self._answers: Callable[[Sequence[Sequence[float]]], list[feed.Answer]]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._feed.tell(State("preparing", "looking for data and weights"))
        self.thread.start()

    def forget(self) -> None:
        """End the process that the networks are in."""
        if self.networks:
            self.networks.close()

    def _run(self) -> None:
        try:
            records = self._do()
            self._over(records)
            failed = sum(record.status == "failed" for record in records)
            self._feed.tell(State("over", f"{failed} of {len(records)} failed" if failed else ""))
        except Stopped:
            self._feed.tell(State("stopped", "stopped: it has no result"))
        except ComparisonError as error:
            self._feed.tell(State("failed", str(error)))
        except Exception as error:
            traceback.print_exc()
            self._feed.tell(State("failed", f"{type(error).__name__}: {first_line(error)}"))

    def _do(self) -> list[Record]:
        # Not before the page is there: what draws on a terminal takes longer to load.
        from comparisons.core.files import must_be_writable, remove
        from comparisons.live import pictures
        from comparisons.running import keeping, session

        had = session.have(self._request, _said(self._feed, self.remote), self.remote.over)
        if self.remote.stopped.is_set():
            raise Stopped
        planned = had.runs(self._request)
        heat = heats.of_plan(planned, had.dataset, had.notices)
        self._tracks = heat.tracks
        self._answers = partial(pictures.answers, had.dataset.classes)
        out = OUT / re.sub(r"[^\w-]+", "-", had.dataset.name)[:60]
        networks = out / "networks"
        must_be_writable(networks)
        remove(networks)
        for run in filter(keeping.can_be_kept, planned):
            run.keep = str(networks)
        self._feed.tell(feed.Begin(heat))
        self._feed.tell(feed.Shown(pictures.held_out(planned[0], had.dataset).pictures))
        self._feed.tell(State("paused" if self.remote.paused else "running"))
        # Without a rehearsal: it takes as long as loading does, and an arm that fails says so here.
        records = runner.run_all(
            planned,
            had.dataset.described(),
            out,
            True,
            [self._hear],
            remote=self.remote,
            ready=self._processes,
        )
        session.keep_samples(out, had, records)
        if disputed := pictures.disputed(out, records):
            self._feed.tell(disputed)
        if found := kept(networks, {run.name: run.id for run in planned}):
            by = pictures.held_out(planned[0], had.dataset, pictures.IN_PLANE)
            self.networks = Networks(found, by, self._processes.start)
        return records

    def _hear(self, number: int, event: events.Event) -> None:
        """Tell the feed of an event of the run at a place of the plan."""
        track, tell = self._tracks[number], self._feed.tell
        match event:
            case events.Stage(text):
                tell(feed.Stage(number, text))
            case events.Features(part, done, total):
                tell(feed.Stage(number, f"features of {part} images: {done / total:.0%}"))
            case events.Epoch(entry):
                point = heats.point(entry, len(track.points) + 1)
                track.points.append(point)
                tell(feed.Learnt(number, point))
            case events.Answers(chances):
                tell(feed.Answered(number, self._answers(chances)))
            case events.Record(record):
                heats.end(track, record)
                told = track.seconds, track.status, track.error, track.test, track.confusion
                tell(feed.Ended(number, *told))


def _import() -> None:
    """Import what a race will."""
    for name in ("comparisons.live.pictures", "comparisons.running.session"):
        with suppress(Exception):  # then the race meets it, and says so
            importlib.import_module(name)


class _Lines(io.StringIO):
    """What is printed here is what the race says that it is doing."""

    def __init__(self, told: Feed, remote: Remote) -> None:
        super().__init__()
        self._feed, self._remote = told, remote

    def write(self, printed: str) -> int:
        """Tell the last line that has words."""
        lines = [line.strip(" …│╭╮╰╯─") for line in printed.splitlines()]
        said = [line for line in lines if line]
        if said and not self._remote.stopped.is_set():
            self._feed.tell(State("preparing", said[-1]))
        return len(printed)


def _said(told: Feed, remote: Remote) -> Console:
    """A console for what is said before the runs."""
    return Console(file=_Lines(told, remote), width=500, markup=False, emoji=False, highlight=False)
