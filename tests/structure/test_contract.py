"""The contract keeps the rules of the house: idempotency, request ids, paging, reasons, and what is public."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)

from services.errors import Reason

ROOT = Path(__file__).parents[2]
SERVICE, METHOD = 6, 2  # field numbers in FileDescriptorProto and ServiceDescriptorProto: paths of SourceCodeInfo

# Writes that a name makes repeatable by itself: the second call finds the work done and says so.
REPEATABLE_BY_NAME = {"CancelDecision", "CommitImport", "UploadImportChunk", "LoadSamplePlant"}
# Says it by another field than a truth value: how much there is now, or how much was added.
SAYS_IT_IN_FIGURES = {"UploadImportChunk": "received_size", "LoadSamplePlant": "inserted_count"}


@dataclass(frozen=True)
class Rpc:
    service: str
    method: MethodDescriptorProto
    request: DescriptorProto
    response: DescriptorProto
    comment: str

    @property
    def public(self) -> bool:
        return self.method.options.HasExtension(annotations_pb2.http)

    @property
    def reads(self) -> bool:
        return self.method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS

    def __str__(self) -> str:
        return f"{self.service}.{self.method.name}"


def descriptors() -> FileDescriptorSet:
    return FileDescriptorSet.FromString((ROOT / "gen" / "factoryai.binpb").read_bytes())


def rpcs() -> Iterator[Rpc]:
    files = [file for file in descriptors().file if file.package.startswith("factoryai.")]
    messages = {f".{file.package}.{message.name}": message for file in files for message in file.message_type}
    for file in files:
        comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
        for index, service in enumerate(file.service):
            for number, method in enumerate(service.method):
                comment = comments.get((SERVICE, index, METHOD, number), "")
                yield Rpc(service.name, method, messages[method.input_type], messages[method.output_type], comment)


ALL = sorted(rpcs(), key=str)
WRITES = [rpc for rpc in ALL if not rpc.reads]
LISTS = [rpc for rpc in ALL if rpc.method.name.startswith("List")]


def names(message: DescriptorProto) -> set[str]:
    return {field.name for field in message.field}


def test_there_is_a_contract_to_look_at() -> None:
    assert {rpc.service for rpc in ALL} == {
        "DataService",
        "JudgmentService",
        "OrchestratorService",
        "RouterService",
        "RuleService",
        "WorkflowService",
    }
    assert LISTS
    assert WRITES


def test_reasons_are_those_of_the_proto() -> None:
    enums = {enum.name: enum for file in descriptors().file for enum in file.enum_type}
    stated = {value.name for value in enums["ErrorReason"].value} - {"ERROR_REASON_UNSPECIFIED"}
    assert {reason.value for reason in Reason} == stated
    assert all(reason.value == f"ERROR_REASON_{reason.name}" for reason in Reason)


@pytest.mark.parametrize("rpc", ALL, ids=str)
def test_every_rpc_says_whether_it_may_be_repeated(rpc: Rpc) -> None:
    assert rpc.method.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN


@pytest.mark.parametrize("rpc", WRITES, ids=str)
def test_a_write_can_be_repeated_and_says_who_did_the_work(rpc: Rpc) -> None:
    name = rpc.method.name
    assert ("request_id" in names(rpc.request)) != (name in REPEATABLE_BY_NAME)
    truths = {field.name for field in rpc.response.field if field.type == FieldDescriptorProto.TYPE_BOOL}
    assert truths or SAYS_IT_IN_FIGURES[name] in names(rpc.response)


@pytest.mark.parametrize("rpc", LISTS, ids=str)
def test_every_list_is_paged(rpc: Rpc) -> None:
    assert {"page_size", "page_token"} <= names(rpc.request)
    assert "next_page_token" in names(rpc.response)


@pytest.mark.parametrize("rpc", ALL, ids=str)
def test_what_is_internal_says_why(rpc: Rpc) -> None:
    """No annotation means internal. One that somebody merely forgot has no such sentence."""
    assert rpc.public != ("Internal:" in rpc.comment)


@pytest.mark.parametrize("rpc", [rpc for rpc in ALL if rpc.reads and rpc.public], ids=str)
def test_what_is_got_has_no_side_effects(rpc: Rpc) -> None:
    assert rpc.method.options.Extensions[annotations_pb2.http].WhichOneof("pattern") in {"get", "post"}


@pytest.mark.parametrize("rpc", [rpc for rpc in WRITES if rpc.public], ids=str)
def test_what_writes_is_posted(rpc: Rpc) -> None:
    assert rpc.method.options.Extensions[annotations_pb2.http].WhichOneof("pattern") == "post"
