"""Is there a network? Asked before any library starts to retry for minutes."""

from __future__ import annotations

import os
import socket
import threading
from urllib.parse import urlparse

PATIENCE_SECONDS = 5.0


def reachable(host: str, port: int = 443) -> bool:
    """Whether a connection to `host` opens within five seconds, name look-up included.

    Where a proxy is set, the proxy is asked: it alone can tell about the rest.
    """
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    if proxy:
        address = urlparse(proxy if "//" in proxy else f"//{proxy}")
        host, port = address.hostname or host, address.port or 3128
    answers: list[bool] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=PATIENCE_SECONDS).close()
            answers.append(True)
        except OSError:
            answers.append(False)

    # The look-up of a name has no timeout of its own: wait for a thread, then go on without it.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    return bool(answers and answers[0])
