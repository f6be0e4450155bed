"""The operations port: `/metrics` for Prometheus, `/health` and `/ready` for whoever speaks only HTTP."""

import asyncio
import contextlib
from collections.abc import Callable

from services.chassis.health import Health
from services.chassis.metrics import CONTENT_TYPE, Metrics

TIMEOUT_S = 5.0
MAX_HEAD_BYTES = 8192
_TEXT = "text/plain; charset=utf-8"


class Ops:
    """A little HTTP server on the service's own loop: that it answers shows that the loop turns."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._pages: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/metrics": lambda: (200, CONTENT_TYPE, metrics.exposition()),
            "/health": lambda: (200, _TEXT, b"ok\n"),
            "/ready": lambda: (200, _TEXT, b"ready\n") if health.ready() else (503, _TEXT, b"not ready\n"),
        }
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chose when it was 0. Raises OSError when it is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_HEAD_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whatever a stranger sends here, or fails to send, ends with the connection closed and nothing else.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head))
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()

    def _answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, path, version
            return _response(400, _TEXT, b"bad request\n")
        method, target, _ = words
        page = self._pages.get(target.split("?", 1)[0])
        if page is None:
            return _response(404, _TEXT, b"not found\n")
        if method not in {"GET", "HEAD"}:
            return _response(405, _TEXT, b"method not allowed\n")
        status, content_type, body = page()
        return _response(status, content_type, body, with_body=method == "GET")


_PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


def _response(status: int, content_type: str, body: bytes, *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: {content_type}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (body if with_body else b"")
