"""Who may ask for what: loopback alone stops neither other sites nor rebound names."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "x-race-token"
PICTURES = "/try"  # where a picture is posted; all other changes are JSON
JSON = "application/json"
MOST_BYTES = 20_000  # of what else is posted: a start with every choice made has a tenth of it
MOST_DIGITS = 20  # of the number that says so
MOST_OF_A_PICTURE = 25_000_000  # bytes; a telephone's has a fifth of it

# Scripts, styles and connections of this very address and no other; nothing in line.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Guard:
    """Refuses what another site may have sent, and gives every answer its headers.

    `hosts` are the names and port that this server is asked by; `token` is what changes need.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], token: str) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = self._refused(scope["method"], scope["path"], Headers(scope=scope))
        if refused:
            await PlainTextResponse(refused[1] + "\n", refused[0])(scope, receive, with_headers)
            return
        with suppress(ClientDisconnect):  # in the middle of what was posted: nobody is left to tell
            await self._app(scope, receive, with_headers)

    def _refused(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        """The status and a line for what is refused by its head alone."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return 421, "this server answers to 127.0.0.1 and localhost alone"
        if method in ("GET", "HEAD"):
            return None
        if origin is not None and origin != f"http://{host}":
            return 403, "asked by another site"
        if not secrets.compare_digest(headers.get(TOKEN, "").encode(), self._token):
            return 403, "not the token of this server: open the address that its terminal shows"
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if path == PICTURES:
            most = MOST_OF_A_PICTURE
            if not kind.startswith("image/"):
                return 415, "a picture is posted as image/jpeg, image/png or another image"
        else:
            most = MOST_BYTES
            if kind != JSON:
                return 415, f"changes are asked for in {JSON}"
        length = headers.get("content-length", "")
        said = length.isascii() and length.isdecimal() and "transfer-encoding" not in headers
        if not said or len(length) > MOST_DIGITS or int(length) > most:
            return 413, f"at most {most:,} bytes, their number said before"
        return None
