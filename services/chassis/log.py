"""Structured logs: one JSON object a line on stdout, with request id and tenant of the call that is being served.

Stack traces stand here and nowhere else. What people wrote is never logged at INFO: callers log ids, not utterances.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from services.chassis.call import current_call

_SECRET = frozenset({"authorization", "password", "token", "secret", "api_key", "database_url", "redis_url"})


def configure(level: str, *, process: str, stream: TextIO | None = None) -> None:
    """Set up logging of this process. `process` is the name of the service, or of the host of several."""
    out = stream or sys.stdout
    shared: list[structlog.typing.Processor] = [
        _add_call,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _named(process),
        structlog.processors.format_exc_info,
        _redact,
    ]
    render = structlog.processors.JSONRenderer(serializer=_dump)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard library; their lines take the same shape.
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render], foreign_pre_chain=shared
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # grpc logs each refused handshake and each cancelled RPC with a trace; our own line says it better.
    logging.getLogger("grpc").setLevel(logging.ERROR)


def _add_call(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    try:
        call = current_call()
    except LookupError:
        return event
    event.setdefault("request_id", call.request_id)
    event.setdefault("tenant", call.tenant)
    return event


def _named(process: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("process", process)
        return event

    return add


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in _SECRET & event.keys():
        event[key] = "[redacted]"
    return event


def _dump(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=repr).decode()
