"""Hostile requests of every RPC: seeded, so that a failure can be seen again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from factoryai.data.v1 import data_service_pb2
from factoryai.judgment.v1 import judgment_service_pb2
from factoryai.orchestrator.v1 import orchestrator_service_pb2
from factoryai.router.v1 import router_service_pb2
from factoryai.rule.v1 import rule_service_pb2
from factoryai.workflow.v1 import workflow_service_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

FILES: Final = {
    "router": router_service_pb2,
    "orchestrator": orchestrator_service_pb2,
    "data": data_service_pb2,
    "judgment": judgment_service_pb2,
    "rule": rule_service_pb2,
    "workflow": workflow_service_pb2,
}
# Makes 145,000 rows at a time: it has its own tests, and a fuzzer would only wait for it.
_LEFT_OUT: Final = {"LoadSamplePlant"}
_DEEPEST: Final = 4
_GOODNESS: Final = 0.9
_NOBODY: Final = "00000000-0000-7000-8000-000000000000"
_TEXTS: Final = (
    *("", "sample", "plants/sample", "plants/nope", "plants/../etc", "ko", "line:L03", "line:", "defect_rate", "\x00"),
    *(
        "a\x00b",
        "'; DROP TABLE data.plant; --",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "🤖🔥",
        "\u202e뒤집기",
        "가" * 501,
    ),
    *("x" * 5000, "%s%n", "../../etc/passwd", f"decisions/{_NOBODY}", f"runs/{_NOBODY}", f"imports/{_NOBODY}", "NaN"),
    *("ruleSets/x", "check_facts", "true", "1 / 0 > 1", "(" * 300, "[1].map(x, [1].map(y, [1].map(z, z)))", "-1"),
    *("오늘 불량률", "3라인 왜?", "How is line 2 today?", "Compare line 1 and line 2", f"judgments/{_NOBODY}"),
)
# What a field by that name usually holds: most fields are good, so that the bad ones get past the door.
_GOOD: Final[dict[str, tuple[Any, ...]]] = {
    "plant": ("plants/sample", "plants/steel", "plants/bottling"),
    "question": (
        "오늘 불량률",
        "1라인과 2라인 비교",
        "Which machine had the most downtime last week?",
        "최근 7일 생산량 추이",
    ),
    "utterance": ("오늘 불량률", "3라인 왜?", "How is line 2 today?"),
    "language": ("", "ko", "en"),
    "conversation": ("", "fuzz", "conversations/fuzz"),
    "metrics": ("defect_rate", "oee", "energy", "production_qty", "downtime"),
    "metric": ("defect_rate", "oee"),
    "id": ("a", "b", "plan_check"),
    "source": ("a", "b"),
    "target": ("a", "b"),
    "input_node": ("a", "b"),
    "input_nodes": ("a", "b"),
    "template": ("check_facts", "trend_facts", "ranking_facts"),
    "condition": ("x > 1.0", "row_count > 0", "defect_rate > 0.03"),
    "rule_set": ("", "ruleSets/sample-quality"),
    "page_token": ("",),
    "page_size": (0, 1, 1000),
    "limit": (0, 1, 10_000),
    "version": (0, 1),
    "top_n": (0, 3),
}
_NAMES: Final = {
    "GetPlant": "plants/sample",
    "GetRuleSet": "ruleSets/sample-quality",
    "PublishRuleSet": "ruleSets/sample-quality",
    "EvaluateRuleSet": "ruleSets/sample-quality",
    "GetConversation": "conversations/fuzz",
}
_NUMBERS: Final = (0.0, -0.0, 1.0, -1.0, 1e308, -1e308, float("nan"), float("inf"), float("-inf"), 1e-320, 0.5)
_INTEGERS: Final = (0, 1, -1, 2, 7, 1000, 1001, 10_000, 2**31 - 1, -(2**31))
_SECONDS: Final = (0, -1, 1_790_000_000, 253_402_300_799, -62_135_596_800, 2**62, -(2**62))


@dataclass(frozen=True)
class Rpc:
    """One method: where it is served and how it is called."""

    service: str
    method: MethodDescriptor

    @property
    def path(self) -> str:
        return f"/{self.method.containing_service.full_name}/{self.method.name}"


def rpcs() -> list[Rpc]:
    """Return every RPC of the six services."""
    found = []
    for service, module in FILES.items():
        for described in module.DESCRIPTOR.services_by_name.values():
            found += [Rpc(service, method) for method in described.methods if method.name not in _LEFT_OUT]
    return found


def hostile(rpc: Rpc, dice: random.Random) -> bytes:
    """Return one request: random fields with nasty values, sometimes with bytes that are no message at all."""
    request: Any = message_factory.GetMessageClass(rpc.method.input_type)()
    _fill(request, dice, 0)
    if rpc.method.name in _NAMES and dice.random() < _GOODNESS:
        request.name = _NAMES[rpc.method.name]
    content: bytes = request.SerializeToString()
    luck = dice.random()
    if luck < 0.1:
        return dice.randbytes(dice.randrange(200))
    if luck < 0.25 and content:
        broken = bytearray(content)
        for _ in range(dice.randrange(1, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        return bytes(broken)
    return content


def inputs(count: int, seed: int) -> Iterator[tuple[Rpc, bytes]]:
    """Return `count` requests, every RPC in its turn."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    every = rpcs()
    for number in range(count):
        rpc = every[number % len(every)]
        yield rpc, hostile(rpc, dice)


def _fill(message: Message, dice: random.Random, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if dice.random() < (0.35 if depth else 0.25):
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            _fill_message(message, field, dice, depth)
        elif field.is_repeated:
            getattr(message, field.name).extend(_scalar(field, dice) for _ in range(dice.choice((1, 1, 2, 9))))
        else:
            setattr(message, field.name, _scalar(field, dice))


def _fill_message(message: Message, field: Any, dice: random.Random, depth: int) -> None:
    kind = field.message_type
    if depth >= _DEEPEST or kind is None:
        return
    if kind.GetOptions().map_entry:
        held = getattr(message, field.name)
        key = dice.choice(_TEXTS[:12])
        if kind.fields_by_name["value"].type == FieldDescriptor.TYPE_MESSAGE:
            _fill(held[key], dice, depth + 1)
        return
    targets = (
        [getattr(message, field.name).add() for _ in range(dice.choice((1, 1, 2)))]
        if field.is_repeated
        else [getattr(message, field.name)]
    )
    for target in targets:
        target.SetInParent()
        if kind.full_name in {"google.protobuf.Timestamp", "google.protobuf.Duration"}:
            duration = kind.name == "Duration"
            usual = dice.randrange(1, 30) if duration else 1_795_000_000 + dice.randrange(600_000)
            target.seconds = dice.choice(_SECONDS) if dice.random() < 0.1 else usual
            target.nanos = dice.choice((0, 0, 0, 0, 0, 1, -1, 999_999_999, 2**31 - 1))
        else:
            _fill(target, dice, depth + 1)


def _scalar(field: Any, dice: random.Random) -> Any:
    if field.name in _GOOD and dice.random() < _GOODNESS:
        good = dice.choice(_GOOD[field.name])
        if isinstance(good, str) == (field.type == FieldDescriptor.TYPE_STRING):
            return good
    values: dict[int, tuple[Any, ...]] = {
        FieldDescriptor.TYPE_STRING: ("", dice.choice(_TEXTS)),
        FieldDescriptor.TYPE_BYTES: (b"", dice.randbytes(50)),
        FieldDescriptor.TYPE_BOOL: (False, True),
        FieldDescriptor.TYPE_DOUBLE: _NUMBERS,
        FieldDescriptor.TYPE_ENUM: _numbers_of(field),
    }
    return dice.choice(values.get(field.type, _INTEGERS))


def _numbers_of(field: Any) -> tuple[int, ...]:
    return (*(value.number for value in field.enum_type.values), 99) if field.enum_type else ()
