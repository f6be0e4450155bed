"""Decisions, answers, conversations, feedback."""

from factoryai.orchestrator.v1 import conversation_pb2, decision_pb2

from services.orchestrator.codec import enums, errors, meaning, plans, values
from services.orchestrator.domain.decision import Answer, Chart, Conversation, Decision, Feedback
from services.orchestrator.domain.language import Language


def encode_decision(domain: Decision) -> decision_pb2.Decision:
    """Write a decision."""
    return decision_pb2.Decision(
        name=domain.name,
        state=enums.STATE.encode(domain.state),
        question=domain.question,
        plant=f"plants/{domain.plant}",
        conversation=f"conversations/{domain.conversation}",
        language=domain.language,
        as_of=values.stamp(domain.as_of),
        classification=meaning.encode_classification(domain.classification) if domain.classification else None,
        plan=plans.encode_plan(domain.plan) if domain.plan else None,
        answer=_encode_answer(domain.answer) if domain.answer else None,
        run=domain.run,
        error=errors.encode_error(domain.error, domain.request_id, domain.language) if domain.error else None,
        feedback=[encode_feedback(each) for each in domain.feedback],
        principal=domain.principal,
        request_id=domain.request_id,
        create_time=values.stamp(domain.create_time),
        end_time=values.stamp(domain.end_time) if domain.end_time else None,
    )


def encode_summary(domain: Decision) -> decision_pb2.Decision:
    """Write a decision as lists show it: without plan, table and evidence."""
    message = encode_decision(domain)
    message.ClearField("plan")
    message.answer.ClearField("table")
    message.answer.ClearField("evidence")
    if domain.answer is None:
        message.ClearField("answer")
    return message


def decision(message: decision_pb2.Decision, catalog_version: str = "") -> Decision:
    """Read a decision."""
    return Decision(
        id=message.name.removeprefix("decisions/"),
        state=enums.STATE.decode(message.state),
        question=message.question,
        plant=message.plant.removeprefix("plants/"),
        conversation=message.conversation.removeprefix("conversations/"),
        language=_language(message.language),
        as_of=values.instant(message.as_of),
        principal=message.principal,
        request_id=message.request_id,
        create_time=values.instant(message.create_time),
        classification=meaning.classification(message.classification) if message.HasField("classification") else None,
        plan=plans.plan(message.plan) if message.HasField("plan") else None,
        answer=_answer(message.answer) if message.HasField("answer") else None,
        run=message.run,
        error=errors.error(message.error, "orchestrator") if message.HasField("error") else None,
        end_time=values.instant(message.end_time) if message.HasField("end_time") else None,
        feedback=tuple(feedback(each) for each in message.feedback),
        catalog_version=catalog_version,
    )


def _language(code: str) -> Language:
    return "en" if code == "en" else "ko"


def _encode_answer(domain: Answer) -> decision_pb2.Answer:
    return decision_pb2.Answer(
        text=domain.text,
        language=domain.language,
        severity=enums.SEVERITY.encode(domain.severity),
        degraded=domain.degraded,
        freshness=values.encode_freshness(domain.freshness) if domain.freshness else None,
        table=values.encode_table(domain.table) if domain.table else None,
        chart=_encode_chart(domain.chart) if domain.chart else None,
        evidence=[values.encode_evidence(each) for each in domain.evidence],
        actions=[plans.encode_action(each) for each in domain.actions],
        ask_back=meaning.encode_ask_back(domain.ask_back) if domain.ask_back else None,
    )


def _answer(message: decision_pb2.Answer) -> Answer:
    return Answer(
        text=message.text,
        language=_language(message.language),
        severity=enums.SEVERITY.decode(message.severity),
        degraded=message.degraded,
        freshness=values.freshness(message.freshness) if message.HasField("freshness") else None,
        table=values.table(message.table) if message.HasField("table") else None,
        chart=_chart(message.chart) if message.HasField("chart") else None,
        evidence=tuple(values.evidence(each) for each in message.evidence),
        actions=tuple(plans.action(each) for each in message.actions),
        ask_back=meaning.ask_back(message.ask_back) if message.HasField("ask_back") else None,
    )


def _encode_chart(domain: Chart) -> decision_pb2.Chart:
    kind = enums.CHART.encode(domain.type)
    return decision_pb2.Chart(type=kind, x=domain.x, y=domain.y, series=domain.series, title=domain.title)


def _chart(message: decision_pb2.Chart) -> Chart:
    return Chart(enums.CHART.decode(message.type), message.x, tuple(message.y), message.title, message.series)


def encode_feedback(domain: Feedback) -> decision_pb2.Feedback:
    """Write feedback."""
    return decision_pb2.Feedback(
        thumb=enums.THUMB.encode(domain.thumb),
        rating=domain.rating,
        comment=domain.comment,
        corrected_intent=enums.INTENT.encode(domain.corrected_intent),
        principal=domain.principal,
        create_time=values.stamp(domain.create_time),
    )


def feedback(message: decision_pb2.Feedback) -> Feedback:
    """Read feedback."""
    return Feedback(
        enums.THUMB.decode(message.thumb),
        message.rating,
        message.comment,
        enums.INTENT.decode(message.corrected_intent),
        message.principal,
        values.instant(message.create_time),
    )


def encode_conversation(domain: Conversation) -> conversation_pb2.Conversation:
    """Write a conversation."""
    return conversation_pb2.Conversation(
        name=f"conversations/{domain.id}",
        plant=f"plants/{domain.plant}",
        language=domain.language,
        context=meaning.encode_context(domain.context),
        decisions=[f"decisions/{each}" for each in domain.decisions],
        update_time=values.stamp(domain.update_time),
    )
