"""Renders `envoy/envoy.yaml`: settings and tables in, plain Envoy configuration out. Pure but for reading files.

What is open to the world is derived, never listed: an RPC with a `google.api.http` annotation in the descriptor set
has a route, every other has none and answers UNIMPLEMENTED (gRPC) or NOT_FOUND (REST).
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import yaml
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions

from services.embedded.table import SIX
from services.errors import Reason

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATE: Final = ROOT / "envoy" / "envoy.yaml"
DESCRIPTOR_SET: Final = ROOT / "gen" / "factoryai.binpb"
OPENAPI: Final = ROOT / "gen" / "openapi" / "factoryai.yaml"

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# How long an RPC may take, in seconds. The service is told this as its deadline. `ask` answers within 30 s by itself,
# with what it has; the edge only ends what does not.
DEFAULT_LIMIT_S: Final = 32
LIMITS_S: Final[Mapping[str, int]] = {
    "/factoryai.data.v1.DataService/CommitImport": 300,
    "/factoryai.orchestrator.v1.OrchestratorService/AskStream": 120,
}
DEVELOPMENT_ORIGINS: Final = ("http://localhost:*", "https://localhost:*", "http://127.0.0.1:*")
_HEALTH: Final = "/grpc.health.v1.Health/"
_REFLECTION: Final = ("/grpc.reflection.v1alpha.ServerReflection/", "/grpc.reflection.v1.ServerReflection/")
_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service listens."""

    host: str
    port: int
    health_port: int


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What differs between one edge and another. The defaults are those of development.

    `cors_origins` are exact, or end in `:*` for any port. `domains` are the host names answered, without ports.
    `trusted_hops` counts the load balancers in front that set x-forwarded-for.
    """

    services: Mapping[str, Endpoint]
    listen_port: int
    admin_port: int
    certificate: Path
    private_key: Path
    listen_host: str = "127.0.0.1"
    domains: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    cors_origins: tuple[str, ...] = DEVELOPMENT_ORIGINS
    trusted_hops: int = 0
    reflection: bool = True
    requests_a_second: int = 2000
    descriptor_set: Path = DESCRIPTOR_SET
    openapi: Path | None = OPENAPI


@dataclass(frozen=True, slots=True)
class Rpc:
    """An RPC that people outside may call."""

    path: str
    service: str
    repeatable: bool


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a status that Envoy itself answers means. An empty message lets Envoy's own words through."""

    status: int
    code: int
    reason: Reason
    message: str = ""
    retry: bool = False


_RPC: Final = "type.googleapis.com/google.rpc"
_NOT_TAKEN = "The request line or a header is not taken: escaped slashes, or underscores in a header's name."
_OUT_OF_REACH = "A service behind the edge is out of reach; try again."
_LOCAL_REPLIES = (
    _Reply(400, 3, Reason.MALFORMED_REQUEST),  # the transcoder names what it could not read
    _Reply(401, 16, Reason.UNAUTHENTICATED, "A bearer token is needed."),
    _Reply(403, 7, Reason.PERMISSION_DENIED, "This is not allowed."),
    _Reply(404, 5, Reason.NOT_FOUND, "There is nothing at this path, or not with this verb; see /v1/openapi.yaml."),
    _Reply(408, 4, Reason.DEADLINE_EXCEEDED, "The request did not arrive in time."),
    _Reply(413, 8, Reason.REQUEST_TOO_LARGE, "The body is larger than 1 MiB."),
    _Reply(415, 3, Reason.MALFORMED_REQUEST, "This content type is not understood; send application/json."),
    _Reply(426, 3, Reason.MALFORMED_REQUEST, "HTTP/1.1 or newer is needed."),
    _Reply(429, 8, Reason.OVERLOADED, "Too many requests; try again.", retry=True),
    _Reply(431, 8, Reason.REQUEST_TOO_LARGE, "The request headers are too many or too large."),
    _Reply(500, 13, Reason.INTERNAL, "Something went wrong at the edge."),
    _Reply(502, 14, Reason.DEPENDENCY_UNAVAILABLE, _OUT_OF_REACH, retry=True),
    _Reply(503, 14, Reason.DEPENDENCY_UNAVAILABLE, _OUT_OF_REACH, retry=True),
    _Reply(504, 4, Reason.DEADLINE_EXCEEDED, "The service did not answer in time."),
)


def render(settings: EdgeSettings) -> str:
    """Return the configuration as JSON, which Envoy reads like YAML."""
    template = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    patterns = {name: template.pop(name) for name in list(template) if name.startswith("x-")}
    rpcs = annotated(settings.descriptor_set)
    values: dict[str, Json] = {
        "admin_port": settings.admin_port,
        "listen_host": settings.listen_host,
        "listen_port": settings.listen_port,
        "certificate": str(settings.certificate),
        "private_key": str(settings.private_key),
        "descriptor_set": str(settings.descriptor_set),
        "trusted_hops": settings.trusted_hops,
        "requests_a_second": settings.requests_a_second,
        "domains": list(settings.domains),
        "cors_origins": [_origin(each) for each in settings.cors_origins],
        "transcoded_services": [row.full_name for row in SIX if any(rpc.service == row.name for rpc in rpcs)],
        "min_healthy": {row.name: {"value": 1} for row in SIX},
        "clusters": list(_clusters(patterns["x-cluster"], settings)),
        "rpc_routes": list(_rpc_routes(patterns, rpcs)),
        "openapi_route": []
        if settings.openapi is None
        else [_fill(patterns["x-openapi-route"], {"openapi": str(settings.openapi)})],
        "open_routes": list(_open_routes(patterns["x-open-route"], reflection=settings.reflection)),
        "local_replies": list(_local_replies(patterns)),
    }
    return json.dumps(_fill(template, values), ensure_ascii=False, indent=1)


def annotated(descriptor_set: Path) -> list[Rpc]:
    """Return the RPCs with an HTTP annotation, in the order of the files."""
    files = FileDescriptorSet.FromString(descriptor_set.read_bytes())
    names = {row.full_name: row.name for row in SIX}
    return [
        Rpc(
            path=f"/{file.package}.{service.name}/{method.name}",
            service=names[f"{file.package}.{service.name}"],
            repeatable=method.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN,
        )
        for file in files.file
        for service in file.service
        for method in service.method
        if method.options.HasExtension(annotations_pb2.http)
    ]


def _clusters(pattern: Json, settings: EdgeSettings) -> Iterator[Json]:
    for row in SIX:
        endpoint = settings.services[row.name]
        values: dict[str, Json] = {
            "service": row.name,
            "full_name": row.full_name,
            "host": endpoint.host,
            "port": endpoint.port,
            "health_port": endpoint.health_port,
        }
        yield _fill(pattern, values)


def _rpc_routes(patterns: Mapping[str, Json], rpcs: list[Rpc]) -> Iterator[Json]:
    for rpc in rpcs:
        values: dict[str, Json] = {
            "path": rpc.path,
            "service": rpc.service,
            "limit": f"{LIMITS_S.get(rpc.path, DEFAULT_LIMIT_S)}s",
            "retry_policy": patterns["x-retry-safely" if rpc.repeatable else "x-retry-unsent"],
        }
        yield _fill(patterns["x-rpc-route"], values)


def _open_routes(pattern: Json, *, reflection: bool) -> Iterator[Json]:
    for prefix in (_HEALTH, *(_REFLECTION if reflection else ())):
        yield _fill(pattern, {"prefix": prefix})


def _local_replies(patterns: Mapping[str, Json]) -> Iterator[Json]:
    yield patterns["x-local-reply-grpc-404"]
    yield patterns["x-local-reply-grpc"]
    early = _Reply(400, 3, Reason.MALFORMED_REQUEST, _NOT_TAKEN)
    yield _fill(patterns["x-local-reply-early"], _reply_values(early, request_id="%RESP(X-REQUEST-ID)%"))
    for reply in _LOCAL_REPLIES:
        yield _fill(patterns["x-local-reply"], _reply_values(reply, request_id="%REQ(X-REQUEST-ID)%"))


def _reply_values(reply: _Reply, *, request_id: str) -> dict[str, Json]:
    details: list[Json] = [
        {"@type": f"{_RPC}.ErrorInfo", "reason": reply.reason.value, "domain": "factory-ai.com"},
        {"@type": f"{_RPC}.RequestInfo", "requestId": request_id},
    ]
    if reply.retry:
        details.append({"@type": f"{_RPC}.RetryInfo", "retryDelay": "1s"})
    return {
        "status": reply.status,
        "code": reply.code,
        "message": reply.message or "%LOCAL_REPLY_BODY%",
        "details": details,
        "headers": [{"header": {"key": "retry-after", "value": "1"}}] if reply.retry else [],
    }


def _origin(origin: str) -> Json:
    if origin.endswith(":*"):
        return {"safe_regex": {"regex": re.escape(origin.removesuffix(":*")) + "(:[0-9]+)?"}}
    return {"exact": origin}


def _fill(pattern: Json, values: Mapping[str, Json]) -> Json:
    """Put `values` in the place of their `${name}`; a list that stands as an item of a list is spliced into it.

    Names that are not in `values` stay for a later round. Text is never pasted into text to be parsed again.
    """
    match pattern:
        case str():
            whole = _PLACEHOLDER.fullmatch(pattern)
            if whole is not None:
                return copy.deepcopy(values.get(whole[1], pattern))
            return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), pattern)
        case list():
            filled: list[Json] = []
            for item in pattern:
                result = _fill(item, values)
                filled.extend(result if isinstance(item, str) and isinstance(result, list) else [result])
            return filled
        case dict():
            return {key: _fill(value, values) for key, value in pattern.items()}
        case _:
            return pattern
