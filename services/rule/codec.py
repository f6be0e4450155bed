"""Protobuf <-> domain of the rule service; total, no I/O."""

from datetime import datetime
from typing import Final

from factoryai.rule.v1 import rule_service_pb2, rule_set_pb2
from factoryai.type.v1 import target_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.paging import DEFAULT_PAGE_SIZE, decode_token, encode_token
from services.rule.domain.compiled import RuleSetFault
from services.rule.domain.model import (
    Evaluation,
    HitPolicy,
    InputDeclaration,
    InputType,
    Rule,
    RuleCase,
    RuleMatch,
    RuleOutcome,
    RuleSet,
    RuleSetContent,
    RuleSetState,
    Scalar,
    Severity,
)
from services.wording import LocalizedText

_COLLECTION: Final = "ruleSets/"

_SEVERITIES: Final = {
    Severity.NORMAL: value_pb2.SEVERITY_NORMAL,
    Severity.WARNING: value_pb2.SEVERITY_WARNING,
    Severity.CRITICAL: value_pb2.SEVERITY_CRITICAL,
    Severity.UNKNOWN: value_pb2.SEVERITY_UNKNOWN,
}
_SEVERITY_OF: Final = {value: key for key, value in _SEVERITIES.items()}
_INPUT_TYPES: Final = {
    InputType.UNSPECIFIED: rule_set_pb2.INPUT_TYPE_UNSPECIFIED,
    InputType.NUMBER: rule_set_pb2.INPUT_TYPE_NUMBER,
    InputType.INTEGER: rule_set_pb2.INPUT_TYPE_INTEGER,
    InputType.TEXT: rule_set_pb2.INPUT_TYPE_TEXT,
    InputType.BOOLEAN: rule_set_pb2.INPUT_TYPE_BOOLEAN,
}
_INPUT_TYPE_OF: Final = {value: key for key, value in _INPUT_TYPES.items()}
_POLICIES: Final = {
    HitPolicy.FIRST: rule_set_pb2.HIT_POLICY_FIRST,
    HitPolicy.COLLECT: rule_set_pb2.HIT_POLICY_COLLECT,
    HitPolicy.PRIORITY: rule_set_pb2.HIT_POLICY_PRIORITY,
}
_POLICY_OF: Final = {value: key for key, value in _POLICIES.items()}
_STATES: Final = {
    RuleSetState.DRAFT: rule_set_pb2.RULE_SET_STATE_DRAFT,
    RuleSetState.ACTIVE: rule_set_pb2.RULE_SET_STATE_ACTIVE,
    RuleSetState.DEPRECATED: rule_set_pb2.RULE_SET_STATE_DEPRECATED,
}


def decode_name(name: str) -> str:
    """Return the id behind `ruleSets/`."""
    return name.removeprefix(_COLLECTION)


def decode_content(message: rule_set_pb2.RuleSet) -> RuleSetContent:
    """Read what a caller wrote; output-only fields are ignored."""
    return RuleSetContent(
        decode_name(message.name),
        _decode_text(message.display_name),
        _POLICY_OF.get(message.hit_policy, HitPolicy.PRIORITY),
        tuple(
            InputDeclaration(each.name, _INPUT_TYPE_OF.get(each.type, InputType.UNSPECIFIED), each.optional)
            for each in message.inputs
        ),
        tuple(
            Rule(
                each.id,
                each.condition,
                _SEVERITY_OF.get(each.severity),
                _decode_text(each.explanation),
                each.priority,
                each.safety,
            )
            for each in message.rules
        ),
    )


def encode_rule_set(rule_set: RuleSet) -> rule_set_pb2.RuleSet:
    """Write a version."""
    content = rule_set.content
    return rule_set_pb2.RuleSet(
        name=_COLLECTION + content.name,
        version=rule_set.version,
        display_name=_text(content.display_name),
        state=_STATES[rule_set.state],
        hit_policy=_POLICIES[content.hit_policy],
        inputs=[
            rule_set_pb2.InputDeclaration(name=each.name, type=_INPUT_TYPES[each.type], optional=each.optional)
            for each in content.inputs
        ],
        rules=[
            rule_set_pb2.Rule(
                id=each.id,
                condition=each.condition,
                severity=_SEVERITIES[each.severity] if each.severity else value_pb2.SEVERITY_UNSPECIFIED,
                priority=each.priority,
                safety=each.safety,
                explanation=_text(each.explanation),
            )
            for each in content.rules
        ],
        digest=rule_set.digest,
        create_time=_timestamp(rule_set.create_time),
        publish_time=_timestamp(rule_set.publish_time) if rule_set.publish_time else None,
    )


def encode_fault(fault: RuleSetFault) -> rule_service_pb2.RuleSetFault:
    """Write a fault."""
    return rule_service_pb2.RuleSetFault(field=fault.field, description=fault.description)


def decode_case(message: rule_set_pb2.RuleInput) -> RuleCase:
    """Read a case; a scalar without a kind is a missing value."""
    values = {name: _decode_scalar(each) for name, each in message.values.items()}
    return RuleCase(message.key, {name: value for name, value in values.items() if value is not None})


def encode_evaluation(evaluation: Evaluation) -> rule_service_pb2.EvaluateRuleSetResponse:
    """Write what the rules say."""
    return rule_service_pb2.EvaluateRuleSetResponse(
        outcomes=[_outcome(each) for each in evaluation.outcomes],
        version=evaluation.version,
        digest=evaluation.digest,
    )


def decode_page(page_size: int, page_token: str) -> tuple[int, str]:
    """Return how many rule sets a page has and the name to start after. Raises Invalid (INVALID_PAGE_TOKEN)."""
    return page_size or DEFAULT_PAGE_SIZE, decode_token(_COLLECTION, page_token)


def encode_page_token(after: str) -> str:
    """Write the token of the page that begins after a name; empty at the end."""
    return encode_token(_COLLECTION, after)


def _decode_scalar(message: value_pb2.Scalar) -> Scalar | None:
    match message.WhichOneof("kind"):
        case "number":
            return message.number
        case "integer":
            return message.integer
        case "text":
            return message.text
        case "boolean":
            return message.boolean
    return None


def _outcome(outcome: RuleOutcome) -> rule_set_pb2.RuleOutcome:
    return rule_set_pb2.RuleOutcome(
        key=outcome.key,
        severity=_SEVERITIES[outcome.severity],
        matches=[_match(each) for each in outcome.matches],
        missing_inputs=outcome.missing_inputs,
    )


def _match(match: RuleMatch) -> rule_set_pb2.RuleMatch:
    return rule_set_pb2.RuleMatch(
        rule=match.rule,
        severity=_SEVERITIES[match.severity],
        safety=match.safety,
        explanation=_text(match.explanation),
    )


def _decode_text(message: target_pb2.LocalizedText) -> LocalizedText:
    return LocalizedText(message.ko, message.en)


def _text(text: LocalizedText) -> target_pb2.LocalizedText:
    return target_pb2.LocalizedText(ko=text.ko, en=text.en)


def _timestamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp
