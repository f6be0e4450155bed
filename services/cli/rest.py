"""REST client of the public surface: HTTP/1.1 over the deployment's own CA, typed by the contract.

Requests and responses are contract messages; the JSON of a response is kept beside it, untouched, for `--json`.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from google.protobuf import json_format
from google.protobuf.message import Message

from services.cli.failure import ApiError, BadReply, Unreachable, UsageProblem, decode_error

M = TypeVar("M", bound=Message)

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 60.0  # an answer comes within 30 s by contract
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Reply(Generic[M]):
    """A response: the message, the JSON it came as, and the id under which the server logged the call."""

    message: M
    json: str
    request_id: str


class Rest:
    """One deployment. Raises ApiError for what the server refused, Unreachable when nobody answered."""

    def __init__(self, url: str, ca_file: Path | None, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageProblem("usage.bad_url", url=url)
        loopback = parts.hostname in _LOOPBACK
        if parts.scheme == "http" and not loopback:
            raise UsageProblem("usage.plain_http", url=url)
        self.url = url.rstrip("/")
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=self.url,
            verify=_trust(ca_file),
            headers=headers,
            timeout=httpx.Timeout(_READ_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
            trust_env=not loopback,  # a proxy for the outside world does not know our loopback
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, response_type: type[M], query: Mapping[str, str] | None = None) -> Reply[M]:
        """Read `path` with query parameters; empty ones are left out."""
        return self._call("GET", path, response_type, query={key: text for key, text in (query or {}).items() if text})

    def post(self, path: str, body: Message, response_type: type[M], *, timeout_s: float = _READ_TIMEOUT_S) -> Reply[M]:
        """Send `body` to `path`. Fields that stand in the path have to be unset in it."""
        return self._call("POST", path, response_type, content=_encode(body), timeout_s=timeout_s)

    def stream(self, path: str, body: Message, response_type: type[M]) -> Iterator[Reply[M]]:
        """Send `body` and yield each line of the answer as it comes."""
        headers = {"accept": "application/x-ndjson", "content-type": "application/json"}
        with (
            self._transport(),
            self._http.stream("POST", path, content=_encode(body), headers=headers) as response,
        ):
            if response.is_error:
                response.read()
                raise _error(response)
            for line in response.iter_lines():
                if line.strip():
                    yield _decode(line, response_type, response)

    def _call(
        self,
        verb: str,
        path: str,
        response_type: type[M],
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_s: float = _READ_TIMEOUT_S,
    ) -> Reply[M]:
        headers = {"content-type": "application/json"} if content is not None else {}
        timeout = httpx.Timeout(timeout_s, connect=_CONNECT_TIMEOUT_S)
        with self._transport():
            response = self._http.request(verb, path, params=query, content=content, headers=headers, timeout=timeout)
        if response.is_error:
            raise _error(response)
        return _decode(response.text, response_type, response)

    def _transport(self) -> "_Transport":
        return _Transport(self.url)


class _Transport:
    """Turns what goes wrong on the way into Unreachable."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            raise Unreachable("failure.timeout", url=self._url) from error
        if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Unreachable("failure.certificate", url=self._url) from error
        if isinstance(error, httpx.TransportError):
            raise Unreachable("failure.unreachable", url=self._url) from error


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageProblem("usage.bad_ca_file", path=ca_file) from error


def _encode(body: Message) -> bytes:
    return json_format.MessageToJson(body, indent=None, ensure_ascii=False).encode()


def _decode(text: str, response_type: type[M], response: httpx.Response) -> Reply[M]:
    try:
        message = json_format.Parse(text, response_type(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        # Something that is not our Envoy answered, as a captive portal does.
        raise BadReply(str(response.url)) from error
    return Reply(message, text, response.headers.get("x-request-id", ""))


def _error(response: httpx.Response) -> ApiError:
    return decode_error(response.status_code, response.text, response.headers.get("x-request-id", ""))
