"""The runs of a plan on several workers, here or on other machines; Dask does the scheduling.

A worker (comparisons.running.site) sends each event as it happens, and what came of a run at its
end. One that is killed costs the run in its hands, which Dask gives to another.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import dask
import msgspec
from distributed import Client, Future, KilledWorker, LocalCluster, rpc
from distributed.security import Security

from comparisons.core import events, predictions
from comparisons.core.errors import ComparisonError, first_line, one_line
from comparisons.core.events import Error, Event, Listener
from comparisons.core.records import Data, Record
from comparisons.data import DATASETS
from comparisons.plan.runs import Run
from comparisons.running import kept, runner
from comparisons.running.site import Site, work

# The place of a run in the plan, the machine that says something of it, and what: at last its end.
News = tuple[int, str, Event | Future]

PATIENCE = 5.0  # seconds for a scheduler to answer in
WORKERS = "all"  # the topic of Dask's own events: which workers come and go
# Ctrl-C in a terminal reaches workers as well, which end with the command, and not by themselves.
DEAF = "import signal; signal.signal(signal.SIGINT, lambda *_: None)"


@contextmanager
def joined(
    scheduler: str | None, workers: int | None, say: Callable[[str], None]
) -> Iterator[Client]:
    """The cluster at an address, or so many workers on this machine, which serve nobody else.

    Raises ComparisonError where no scheduler answers.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said by runs
    with ExitStack() as stack:
        if scheduler is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            # Dask would leave numpy a single thread, which runs here have not.
            stack.enter_context(dask.config.set({"distributed.nanny.pre-spawn-environ": {}}))
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address="127.0.0.1:0",  # any port that is free
                local_directory=folder,
                security=Security.temporary(),  # else whoever is on this machine could ask them
                silence_logs=logging.CRITICAL,
                preload=DEAF,
            )
            client = stack.enter_context(Client(stack.enter_context(cluster), set_as_default=False))
        else:
            client = stack.enter_context(_client(scheduler))
            threads = client.nthreads().values()
            if not threads:
                say(f"waiting for a worker: dask worker {scheduler} --nthreads 1")
            elif max(threads) > 1:
                say(f"a worker does up to {max(threads)} runs at once: --nthreads 1 makes it one")
        yield client


def _client(scheduler: str) -> Client:
    try:
        # In a thread of its own: a notebook has a loop in this one.
        with ThreadPoolExecutor(1) as beside:
            beside.submit(asyncio.run, _asked_who_it_is(scheduler)).result()
        return Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # what else listens there says all kinds of things
        raise ComparisonError(
            f"--scheduler {scheduler}: no scheduler of Dask answers there ({first_line(error)})"
        ) from None


async def _asked_who_it_is(scheduler: str) -> None:
    """Raise TimeoutError where nobody says in time: a client waits for ever to be greeted."""
    try:
        async with asyncio.timeout(PATIENCE):
            secured = Security().get_connection_args("client")
            async with rpc(scheduler, connection_args=secured) as there:
                await there.identity(n_workers=0)
    except TimeoutError:
        raise TimeoutError(f"nothing that speaks as one within {PATIENCE:.0f} s") from None


def run_all(
    client: Client,
    plan: Sequence[Run],
    data: Data,
    out: Path | None,
    fresh: bool,
    listeners: Sequence[Listener] = (),
    meanwhile: Callable[[], object] = lambda: None,
) -> list[Record]:
    """Do what is not yet done of a plan on a cluster; see comparisons.running.runner.run_all.

    Raises ComparisonError also where the scheduler is lost, or its workers lack this project.
    """
    ended: dict[int, Record] = {}
    tell = partial(runner.tell_all, listeners)

    def end(number: int, record: Record, before: bool) -> None:
        ended[number] = record
        tell(number, events.Record(record, before))

    for number, run in enumerate(plan):
        if not fresh and out and (record := kept.finished(run, out)):
            tell(number, events.Start(run.arm))
            end(number, record, before=True)
    left = [number for number in range(len(plan)) if number not in ended]
    company = Company()
    with _sent(client, {number: plan[number] for number in left}, data.fingerprint) as heard:
        meanwhile()
        while len(ended) < len(plan):
            number, host, news = heard.get()
            if isinstance(news, Future):
                record, logits = _result(news, plan[number], data)
                company.tell(number, record)
                if logits and out:
                    predictions.keep(record, predictions.file(out, plan[number].id), logits)
                runner.keep(plan[number], record, out)
                end(number, record, before=False)
            elif isinstance(news, events.Done | events.Lost):
                if company.went(number):
                    tell(number, news)
            elif number not in ended:
                if isinstance(news, events.Start):
                    company.came(number, host)
                tell(number, news)
    return [ended[number] for number in range(len(plan))]


@contextmanager
def _sent(client: Client, plan: dict[int, Run], fingerprint: str) -> Iterator[SimpleQueue[News]]:
    """Hand runs over, each with its place; what is heard of them until the block ends."""
    heard: SimpleQueue[News] = SimpleQueue()
    numbers: dict[str, int] = {}
    topic = f"comparisons-{uuid.uuid4().hex}"

    def hear(event: tuple[float, tuple[int, str, bytes]]) -> None:
        number, host, said = event[1]
        heard.put((number, host, msgspec.json.decode(said, type=Event)))

    def hear_of_workers(event: tuple[float, dict[str, Any]]) -> None:
        # One that was killed has told of no end. The scheduler tells of it before it gives what
        # that worker had in its hands, or was to do next, to another.
        if event[1].get("action") == "remove-worker":
            for key in event[1]["processing-tasks"]:
                if key in numbers:
                    heard.put((numbers[key], "", events.Lost()))

    futures: list[Future] = []
    client.subscribe_topic(topic, hear)
    client.subscribe_topic(WORKERS, hear_of_workers)
    try:
        _settle(client, Site(topic))
        for number, run in plan.items():
            futures.append(client.submit(work, _by_whole_paths(run), number, fingerprint, topic))
            numbers[futures[-1].key] = number
            futures[-1].add_done_callback(lambda done, n=number: heard.put((n, "", done)))
        yield heard
    finally:
        with suppress(Exception):  # where the scheduler is lost there is nobody to tell
            client.unsubscribe_topic(WORKERS)
            client.cancel(futures)
            client.unregister_worker_plugin(topic)


def _settle(client: Client, site: Site) -> None:
    try:
        client.register_plugin(site)
    except Exception as error:  # of any kind that the worker's Python has
        raise ComparisonError(
            f"a worker of the cluster cannot load this project ({first_line(error)}): install it "
            "there as here"
        ) from None


def _by_whole_paths(run: Run) -> Run:
    """The same run, whose files are found from any folder."""
    own = run.data not in DATASETS
    return msgspec.structs.replace(
        run,
        data=str(Path(run.data).absolute()) if own else run.data,
        data_dir=str(Path(run.data_dir).absolute()) if run.data_dir else None,
    )


def _result(future: Future, run: Run, data: Data) -> tuple[Record, bytes | None]:
    """What came of a run: a record, and the file of its test logits."""
    last: Event
    try:
        last, logits = future.result()
    except KilledWorker as killed:
        again = killed.allowed_failures + 1
        last = Error(f"{again} workers that did it were killed (often too little memory)")
    except Exception as error:
        if future.cancelled():
            raise ComparisonError(
                "the scheduler was lost: what was finished is kept, the same command continues",
                exit_code=1,
            ) from None
        last = Error(f"{type(error).__name__}: {first_line(error)}")
    if isinstance(last, events.Record):
        return last.record, logits
    assert isinstance(last, Error)
    return runner.failed(run, data, last.text), None


class Company:
    """Which runs are at work on the same machine."""

    def __init__(self) -> None:
        self._where: dict[int, str] = {}
        self._most: dict[int, int] = {}
        self._at_work: set[int] = set()

    def came(self, number: int, host: str) -> None:
        """A run was taken up; a second time where its worker was killed."""
        self._at_work.add(number)
        self._where[number], self._most[number] = host, 0
        here = [other for other in self._at_work if self._where[other] == host]
        for other in here:
            self._most[other] = max(self._most[other], len(here) - 1)

    def went(self, number: int) -> bool:
        """A run is over, or its worker is; whether it was at work until now."""
        was = number in self._at_work
        self._at_work.discard(number)
        return was

    def tell(self, number: int, record: Record) -> None:
        """Say in a run's record where it was, and with how many others at the most."""
        self.went(number)
        record.environment.host = one_line(self._where.get(number, ""))
        record.neighbours.runs = self._most.get(number, 0)
