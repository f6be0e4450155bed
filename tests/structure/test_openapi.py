"""The OpenAPI document tells all of the public surface and nothing else, and holds together."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools import openapi
from tools.check_generated import differences
from tools.openapi_schemas import Json

ROOT = Path(__file__).parents[2]
SET = ROOT / "gen" / "factoryai.binpb"


@pytest.fixture(scope="module")
def document() -> Mapping[str, Json]:
    loaded = yaml.safe_load((ROOT / "gen" / "openapi" / "factoryai.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def at(node: Json, *keys: str) -> Json:
    for key in keys:
        assert isinstance(node, Mapping), f"{key} stands in nothing"
        node = node[key]
    return node


def schema(document: Mapping[str, Json], name: str) -> Json:
    return at(document, "components", "schemas", name)


def walk(node: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(node, Mapping):
        yield node
        for child in node.values():
            yield from walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from walk(child)


def operations(document: Mapping[str, Json]) -> dict[str, tuple[str, str, Mapping[str, Json]]]:
    found = {}
    paths = at(document, "paths")
    assert isinstance(paths, Mapping)
    for path, verbs in paths.items():
        assert isinstance(verbs, Mapping)
        for verb, operation in verbs.items():
            assert isinstance(operation, Mapping)
            found[str(operation["operationId"])] = (verb, path, operation)
    return found


def test_every_annotated_rpc_is_in_it_and_no_other(document: Mapping[str, Json]) -> None:
    files = FileDescriptorSet.FromString(SET.read_bytes())
    public = {
        f"{service.name}_{method.name}"
        for file in files.file
        for service in file.service
        for method in service.method
        if method.options.HasExtension(annotations_pb2.http)
    }
    assert set(operations(document)) == public
    assert "JudgmentService_Judge" not in public


def test_every_reference_leads_somewhere_and_nothing_is_left_over(document: Mapping[str, Json]) -> None:
    references = {str(node["$ref"]) for node in walk(document) if "$ref" in node}
    for reference in references:
        at(document, *reference.removeprefix("#/").split("/"))
    schemas = at(document, "components", "schemas")
    assert isinstance(schemas, Mapping)
    left_over = {name for name in schemas if f"#/components/schemas/{name}" not in references}
    assert left_over == {"factoryai.errors.v1.ErrorReason"}, "told for its comments: reasons travel as plain text"


def test_paths_are_expanded_and_their_parameters_declared(document: Mapping[str, Json]) -> None:
    for verb, path, operation in operations(document).values():
        assert not re.search(r"[=*]", path)
        parameters = operation.get("parameters", [])
        assert isinstance(parameters, list)
        declared = {str(at(each, "name")) for each in parameters if at(each, "in") == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))
        assert ("requestBody" in operation) == (verb == "post")


def test_a_name_in_the_path_keeps_its_limit_and_leaves_the_body(document: Mapping[str, Json]) -> None:
    _, path, operation = operations(document)["OrchestratorService_AddFeedback"]
    assert path == "/v1/decisions/{decision}:feedback"
    parameters = operation["parameters"]
    assert isinstance(parameters, list)
    assert at(parameters[0], "schema", "pattern") == "^[0-9a-f-]{36}$"
    body = at(operation, "requestBody", "content", "application/json", "schema", "properties")
    assert isinstance(body, Mapping)
    assert set(body) == {"feedback", "requestId"}


def test_limits_and_forms_are_those_of_the_contract(document: Mapping[str, Json]) -> None:
    question = at(schema(document, "factoryai.orchestrator.v1.AskRequest"), "properties", "question")
    assert at(question, "minLength") == 1
    assert at(question, "maxLength") == 500
    assert at(schema(document, "factoryai.orchestrator.v1.AskRequest"), "required") == ["question"]
    chunk = at(schema(document, "factoryai.data.v1.DataImport"), "properties", "readCount")
    assert at(chunk, "type") == "string"
    assert at(chunk, "format") == "int64"
    assert at(chunk, "readOnly") is True
    _, _, upload = operations(document)["DataService_UploadImportChunk"]
    content = at(upload, "requestBody", "content", "application/json", "schema", "properties", "content")
    assert at(content, "format") == "byte"
    assert at(content, "maxLength") == 699052
    as_of = at(schema(document, "factoryai.orchestrator.v1.AskRequest"), "properties", "asOf")
    assert at(as_of, "format") == "date-time"
    intents = at(schema(document, "factoryai.router.v1.Intent"), "enum")
    assert isinstance(intents, list)
    assert "INTENT_CHECK" in intents


def test_streams_and_errors_are_told(document: Mapping[str, Json]) -> None:
    _, _, stream = operations(document)["OrchestratorService_AskStream"]
    content = at(stream, "responses", "200", "content")
    assert isinstance(content, Mapping)
    assert set(content) == {"application/x-ndjson", "text/event-stream"}
    for _, _, operation in operations(document).values():
        assert at(operation, "responses", "default", "$ref") == "#/components/responses/Error"
    assert at(document, "security") == [{"bearer": []}]


def test_everything_is_described(document: Mapping[str, Json]) -> None:
    for name, (_, _, operation) in operations(document).items():
        assert operation["description"], name
    schemas = at(document, "components", "schemas")
    assert isinstance(schemas, Mapping)
    for name, entry in schemas.items():
        properties = entry.get("properties", {}) if isinstance(entry, Mapping) else {}
        assert isinstance(properties, Mapping)
        if name.startswith("factoryai."):
            assert at(entry, "description"), name
            assert all(isinstance(each, Mapping) and each.get("description") for each in properties.values()), name


def test_the_same_contract_gives_the_same_text() -> None:
    committed = (ROOT / "gen" / "openapi" / "factoryai.yaml").read_text(encoding="utf-8")
    assert openapi.document(SET.read_bytes()) == openapi.document(SET.read_bytes()) == committed


def test_a_byte_that_differs_is_named(tmp_path: Path) -> None:
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    for folder, files in ((fresh, {"a": "1", "b": "1"}), (committed, {"b": "2", "c": "1", "__pycache__/c.pyc": "x"})):
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    assert differences(fresh, committed) == ["missing: gen/a", "left over: gen/c", "stale: gen/b"]
