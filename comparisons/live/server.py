"""The server: a page, its data, a stream of what happens, and the few changes that can be asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from comparisons.core.errors import ComparisonError, first_line
from comparisons.live import site
from comparisons.live.contest import Asked, Busy, Contest
from comparisons.live.guard import PICTURES, Guard
from comparisons.live.site import Given

BEAT = 0.25  # seconds between two looks for news, and so between two drawings
SILENCE = 60  # beats without news, after which a viewer is told that we are there


def application(
    given: Given, contest: Contest | None, port: int, token: str, closing: threading.Event
) -> Guard:
    """The whole application, as a server runs it; without a contest it only replays.

    `closing` ends the streams: a server waits for them.
    """

    async def page(request: Request) -> Response:
        now = _now(contest) if contest else site.told(given.heats)
        return Response(site.page(now), media_type="text/html")

    async def data(request: Request) -> Response:
        return Response(site.script(given), media_type="text/javascript")

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in site.FILES:
            return PlainTextResponse("not here\n", 404)
        path = site.FOLDER / name
        return Response(path.read_bytes(), media_type=site.TYPES[path.suffix])

    routes = [Route("/", page), Route("/data.js", data), Route("/{name}", file)]
    if contest:
        routes = [*_live(contest, closing), *routes]
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return Guard(app, hosts, token)


def _live(contest: Contest, closing: threading.Event) -> list[Route]:
    """The routes of a race that runs: its stream, and what may be asked of it."""

    async def events(request: Request) -> Response:
        seen = request.headers.get("last-event-id", "")
        number = int(seen[:15]) if seen.isascii() and seen.isdecimal() else 0
        return StreamingResponse(_stream(contest, closing, number), media_type="text/event-stream")

    async def start(request: Request) -> Response:
        try:
            asked = msgspec.json.decode(await request.body(), type=Asked)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return PlainTextResponse(f"{first_line(error)}\n", 400)
        return await _done(lambda: contest.start(asked))

    async def say(request: Request) -> Response:
        content = await request.body()
        return await _answer(lambda: contest.say(content))

    async def inside(request: Request) -> Response:
        return await _answer(contest.inside)

    def change(do: Callable[[], object]) -> Callable[[Request], object]:
        async def changed(request: Request) -> Response:
            return await _done(do)

        return changed

    changes = {"pause": contest.pause, "play": contest.play, "step": contest.step}
    changes["stop"] = contest.stop
    return [
        Route("/events", events),
        Route("/start", start, methods=["POST"]),
        Route(PICTURES, say, methods=["POST"]),
        Route("/inside", inside, methods=["POST"]),
        *(Route(f"/{name}", change(do), methods=["POST"]) for name, do in changes.items()),
    ]


async def _answer(ask: Callable[[], object]) -> Response:
    """What networks answer, as JSON; why they cannot is said in one line."""
    try:
        said = await run_in_threadpool(ask)
    except ComparisonError as error:
        return PlainTextResponse(f"{error}\n", 400)
    return Response(msgspec.json.encode(said), media_type="application/json")


async def _done(do: Callable[[], object]) -> Response:
    """Do something elsewhere; what is wrong is said in one line."""
    try:
        await run_in_threadpool(do)
    except Busy as error:
        return PlainTextResponse(f"{error}\n", 409)
    except ComparisonError as error:
        return PlainTextResponse(f"{error}\n", 400)
    return Response(status_code=204)


async def _stream(contest: Contest, closing: threading.Event, number: int) -> AsyncIterator[bytes]:
    """Server-Sent Events: what follows a message, at most four times a second, until we close."""
    silent = 0
    yield b"retry: 1000\n\n"
    while not closing.is_set():
        last, lines = contest.feed.since(number)
        if last != number:
            silent, number = 0, last
            yield b"id: %d\ndata: %s\n\n" % (last, lines)
        elif (silent := silent + 1) >= SILENCE:
            silent = 0
            yield b": still here\n\n"
        await asyncio.sleep(BEAT)


def _now(contest: Contest) -> str:
    state = contest.feed.state
    return f"The race: {state.state}. {state.text}"
