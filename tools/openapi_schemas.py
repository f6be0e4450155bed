"""JSON Schema (2020-12, as OpenAPI 3.1 has it) of Protobuf messages in proto3's JSON form."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from buf.validate import validate_pb2
from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
)

Json: TypeAlias = Mapping[str, "Json"] | list["Json"] | str | int | float | bool

_MESSAGE_INDEX, _ENUM_INDEX = 4, 5  # FileDescriptorProto
_FIELD_INDEX, _NESTED_INDEX, _NESTED_ENUM_INDEX = 2, 3, 4  # DescriptorProto
_VALUE_INDEX = 2  # EnumDescriptorProto

_F = FieldDescriptorProto
_NUMBERS: dict[int, dict[str, Json]] = {
    _F.TYPE_DOUBLE: {"type": "number", "format": "double"},
    _F.TYPE_FLOAT: {"type": "number", "format": "float"},
    _F.TYPE_INT32: {"type": "integer", "format": "int32"},
    _F.TYPE_SINT32: {"type": "integer", "format": "int32"},
    _F.TYPE_UINT32: {"type": "integer", "format": "int64", "minimum": 0},
    _F.TYPE_INT64: {"type": "string", "format": "int64"},
    _F.TYPE_SINT64: {"type": "string", "format": "int64"},
    _F.TYPE_UINT64: {"type": "string", "format": "uint64"},
}
_WELL_KNOWN: dict[str, dict[str, Json]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$"},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Value": {"description": "Any JSON value."},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Empty": {"type": "object"},
}
# What `google.rpc.Status.details` may hold in this product; expanded by Envoy with their type beside them.
DETAILS = ("ErrorInfo", "BadRequest", "RetryInfo", "RequestInfo", "ResourceInfo", "LocalizedMessage")


def prose(comment: str) -> str:
    """Return a comment as flowing text: line breaks of the source are no line breaks of the prose."""
    return re.sub(r"\s*\n\s*", " ", comment.strip())


def is_required(field: FieldDescriptorProto) -> bool:
    """Whether callers have to set the field."""
    behaviors = field.options.Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.REQUIRED in behaviors or _rules(field).required


def _rules(field: FieldDescriptorProto) -> validate_pb2.FieldRules:
    return field.options.Extensions[validate_pb2.field]


class Contract:
    """The messages and enums of a descriptor set, by full name. Remembers which were referred to."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self._messages: dict[str, DescriptorProto] = {}
        self._enums: dict[str, EnumDescriptorProto] = {}
        self._comments: dict[tuple[str, tuple[int, ...]], str] = {}
        self._places: dict[str, tuple[str, tuple[int, ...]]] = {}
        self._wanted: list[str] = []
        for file in files.file:
            for location in file.source_code_info.location:
                self._comments[file.name, tuple(location.path)] = location.leading_comments
            for index, message in enumerate(file.message_type):
                self._enter(file.name, file.package, message, (_MESSAGE_INDEX, index))
            for index, enum in enumerate(file.enum_type):
                self._enter_enum(file.name, file.package, enum, (_ENUM_INDEX, index))

    def _enter(self, file: str, scope: str, message: DescriptorProto, path: tuple[int, ...]) -> None:
        name = f"{scope}.{message.name}"
        self._messages[name] = message
        self._places[name] = file, path
        for index, nested in enumerate(message.nested_type):
            self._enter(file, name, nested, (*path, _NESTED_INDEX, index))
        for index, enum in enumerate(message.enum_type):
            self._enter_enum(file, name, enum, (*path, _NESTED_ENUM_INDEX, index))

    def _enter_enum(self, file: str, scope: str, enum: EnumDescriptorProto, path: tuple[int, ...]) -> None:
        name = f"{scope}.{enum.name}"
        self._enums[name] = enum
        self._places[name] = file, path

    def message(self, type_name: str) -> DescriptorProto:
        """Return a message by its full name, with or without the leading dot."""
        return self._messages[type_name.removeprefix(".")]

    def comment(self, file: str, path: tuple[int, ...]) -> str:
        """Return the comment at a path of `SourceCodeInfo`; empty where there is none."""
        return self._comments.get((file, path), "")

    def reference(self, name: str) -> dict[str, Json]:
        """Return a reference to the schema of a message or enum; it will be among `schemas()`."""
        if name not in self._wanted:
            self._wanted.append(name)
        return {"$ref": f"#/components/schemas/{name}"}

    def is_message(self, schema: Mapping[str, Json]) -> bool:
        """Whether a schema is a reference to a message."""
        return str(schema.get("$ref", "")).removeprefix("#/components/schemas/") in self._messages

    def schemas(self) -> dict[str, Json]:
        """Return the schemas of everything referred to, and of what those refer to, by name."""
        done: dict[str, Json] = {}
        self.reference("factoryai.errors.v1.ErrorReason")
        while len(done) < len(self._wanted):
            for name in [each for each in self._wanted if each not in done]:
                done[name] = self._schema(name)
        return {name: done[name] for name in sorted(done)}

    def _schema(self, name: str) -> Json:
        if name in self._enums:
            return self._enum_schema(name)
        if name == "google.rpc.Status":
            return self._status_schema()
        return self.object_schema(name)

    def _enum_schema(self, name: str) -> Json:
        file, path = self._places[name]
        enum = self._enums[name]
        lines = [prose(self.comment(file, path)), ""]
        for index, value in enumerate(enum.value):
            lines.append(f"- `{value.name}`: {prose(self.comment(file, (*path, _VALUE_INDEX, index)))}")
        return {"type": "string", "description": "\n".join(lines), "enum": [value.name for value in enum.value]}

    def object_schema(self, name: str, leave_out: set[str] | None = None) -> dict[str, Json]:
        """Return the schema of a message without the fields in `leave_out`."""
        message = self._messages[name]
        file, path = self._places[name]
        fields = [field for field in message.field if field.name not in (leave_out or ())]
        schema: dict[str, Json] = {"type": "object"}
        about = [prose(self.comment(file, path)), *self._choices(message), *self._conditions(message)]
        if any(about):
            schema["description"] = "\n\n".join(part for part in about if part)
        required: list[Json] = [field.json_name for field in fields if is_required(field)]
        if required:
            schema["required"] = required
        if fields:
            schema["properties"] = {field.json_name: self.field(name, field) for field in fields}
        return schema

    @staticmethod
    def _choices(message: DescriptorProto) -> list[str]:
        found = []
        for index, oneof in enumerate(message.oneof_decl):
            members = [
                f"`{field.json_name}`"
                for field in message.field
                if field.HasField("oneof_index") and field.oneof_index == index and not field.proto3_optional
            ]
            if members:
                rule = oneof.options.Extensions[validate_pb2.oneof]
                found.append(f"{'Exactly' if rule.required else 'At most'} one of {', '.join(members)}.")
        return found

    @staticmethod
    def _conditions(message: DescriptorProto) -> list[str]:
        rules = message.options.Extensions[validate_pb2.message].cel
        return [f"Rule `{rule.id}`: {rule.message or rule.expression}." for rule in rules]

    def field(self, message_name: str, field: FieldDescriptorProto) -> dict[str, Json]:
        """Return the schema of a field of a message, with its limits and description."""
        entry = self._map_entry(field)
        rules = _rules(field)
        if entry is not None:
            schema: dict[str, Json] = {"type": "object", "additionalProperties": self._single(entry.field[1], rules)}
        elif field.label == _F.LABEL_REPEATED:
            schema = {"type": "array", "items": self._single(field, rules.repeated.items)}
            if rules.repeated.min_items:
                schema["minItems"] = rules.repeated.min_items
            if rules.repeated.max_items:
                schema["maxItems"] = rules.repeated.max_items
            if rules.repeated.unique:
                schema["uniqueItems"] = True
        else:
            schema = self._single(field, rules)
        file, path = self._places[message_name]
        index = list(self._messages[message_name].field).index(field)
        about = prose(self.comment(file, (*path, _FIELD_INDEX, index)))
        if about:
            schema["description"] = about
        if re.search(r"\bOutput only\b", about):
            schema["readOnly"] = True
        return schema

    def _map_entry(self, field: FieldDescriptorProto) -> DescriptorProto | None:
        if field.type != _F.TYPE_MESSAGE:
            return None
        message = self._messages.get(field.type_name.removeprefix("."))
        return message if message is not None and message.options.map_entry else None

    def _single(self, field: FieldDescriptorProto, rules: validate_pb2.FieldRules) -> dict[str, Json]:
        name = field.type_name.removeprefix(".")
        if field.type == _F.TYPE_ENUM:
            return self.reference(name)
        if field.type == _F.TYPE_MESSAGE:
            return dict(_WELL_KNOWN[name]) if name in _WELL_KNOWN else self.reference(name)
        if field.type == _F.TYPE_BOOL:
            return {"type": "boolean"}
        if field.type == _F.TYPE_STRING:
            return {"type": "string"} | _string_limits(rules.string)
        if field.type == _F.TYPE_BYTES:
            return {"type": "string", "format": "byte"} | _bytes_limits(rules.bytes)
        if field.type not in _NUMBERS:
            raise SystemExit(f"this type has no schema yet: {field}")
        return _NUMBERS[field.type] | _number_limits(rules, field)

    def _status_schema(self) -> Json:
        known: list[Json] = []
        for detail in DETAILS:
            name = f"google.rpc.{detail}"
            kind: Json = {"properties": {"@type": {"const": f"type.googleapis.com/{name}"}}, "required": ["@type"]}
            known.append({"allOf": [self.reference(name), kind]})
        known.append({"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}})
        return {
            "type": "object",
            "description": "An error. `ErrorInfo.reason` in `details` is what programs decide by.",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "integer", "format": "int32", "description": "A value of `google.rpc.Code`."},
                "message": {"type": "string", "description": "One English sentence for developers."},
                "details": {"type": "array", "items": {"anyOf": known}},
            },
        }


def _string_limits(rules: validate_pb2.StringRules) -> dict[str, Json]:
    limits: dict[str, Json] = {}
    if rules.HasField("len"):
        limits |= {"minLength": rules.len, "maxLength": rules.len}
    if rules.HasField("min_len"):
        limits["minLength"] = rules.min_len
    if rules.HasField("max_len"):
        limits["maxLength"] = rules.max_len
    if rules.HasField("pattern"):
        limits["pattern"] = rules.pattern
    if rules.HasField("const"):
        limits["const"] = rules.const
    if getattr(rules, "in"):
        limits["enum"] = list(getattr(rules, "in"))
    return limits


def _bytes_limits(rules: validate_pb2.BytesRules) -> dict[str, Json]:
    """Limits of the base64 text: four characters for each three bytes begun."""
    limits: dict[str, Json] = {}
    if rules.HasField("min_len"):
        limits["minLength"] = -(-rules.min_len // 3) * 4
    if rules.HasField("max_len"):
        limits["maxLength"] = -(-rules.max_len // 3) * 4
    return limits


def _number_limits(rules: validate_pb2.FieldRules, field: FieldDescriptorProto) -> dict[str, Json]:
    kind = rules.WhichOneof("type")
    if kind is None:
        return {}
    numbers = getattr(rules, kind)
    if _NUMBERS[field.type]["type"] == "string":
        # JSON Schema cannot bound a number that is written as a string; the sign at least can be told.
        return {"pattern": "^[0-9]+$"} if numbers.HasField("gte") and numbers.gte >= 0 else {"pattern": "^-?[0-9]+$"}
    names = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum"}
    return {word: getattr(numbers, rule) for rule, word in names.items() if numbers.HasField(rule)}
