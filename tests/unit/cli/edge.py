"""A loopback HTTP server that answers as the edge does, with contract messages, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import status_pb2


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    verb: str
    path: str
    headers: dict[str, str]
    body: dict[str, object]


@dataclass
class Edge:
    """Answers: verb and path without query -> status and lines of the body, taken in turn; the last one stays."""

    url: str
    answers: dict[str, list[tuple[int, Sequence[str]]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, call: str, *messages: Message, status: int = 200) -> None:
        """Answer `POST /v1/ask` with the messages, one a line."""
        lines = [json_format.MessageToJson(message, indent=None, ensure_ascii=False) for message in messages]
        self.answers.setdefault(call, []).append((status, lines))

    def refuse(self, call: str, status: int, code: int, message: str, *details: Message) -> None:
        """Answer with an error as Envoy transcodes it."""
        packed = []
        for detail in details:
            packed.append(AnyMessage())
            packed[-1].Pack(detail)
        self.answer(call, status_pb2.Status(code=code, message=message, details=packed), status=status)

    def say(self, call: str, text: str, status: int = 200) -> None:
        """Answer with any text."""
        self.answers.setdefault(call, []).append((status, [text]))


@contextmanager
def serving() -> Iterator[Edge]:
    edge = Edge(url="")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            headers = {name.lower(): value for name, value in self.headers.items()}
            edge.asked.append(Asked(self.command, self.path, headers, body))
            answers = edge.answers.get(f"{self.command} {self.path.partition('?')[0]}", [(404, ["no such answer"])])
            status, lines = answers.pop(0) if len(answers) > 1 else answers[0]
            text = "".join(f"{line}\n" for line in lines).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.send_header("x-request-id", "req-1")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer  # noqa: N815 - names of the library

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    edge.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield edge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
