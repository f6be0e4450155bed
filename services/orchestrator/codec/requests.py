"""What callers ask the orchestrator, and what they get."""

from datetime import datetime

from factoryai.orchestrator.v1 import orchestrator_service_pb2 as pb

from services.chassis.call import Call
from services.errors import FactoryError
from services.orchestrator.codec import decisions, enums, errors, meaning, values
from services.orchestrator.domain.answering import Caller, Progress, Question
from services.orchestrator.domain.decision import Decision, DecisionFilter, Feedback
from services.orchestrator.domain.decisions import Page


def question(request: pb.AskRequest | pb.AskStreamRequest) -> Question:
    """Read a question."""
    return Question(
        text=request.question,
        plant=_id(request.plant),
        conversation=_id(request.conversation),
        language=request.language,
        as_of=values.instant(request.as_of) if request.HasField("as_of") else None,
        request_id=request.request_id,
    )


def ask_request(request: pb.AskStreamRequest) -> pb.AskRequest:
    """Read a streaming question as the unary one that it repeats: the fields have the same numbers."""
    return pb.AskRequest.FromString(request.SerializeToString())


def caller(call: Call, monotonic: float) -> Caller:
    """Read who asks."""
    left = None if call.deadline is None else call.deadline - monotonic
    return Caller(call.tenant, call.principal.subject, _id(call.plant), call.language, left)


def answered(decision: Decision, *, created: bool) -> pb.AskResponse:
    """Write a decision as the answer to its question."""
    return pb.AskResponse(decision=decisions.encode_decision(decision), created=created)


def progress(step: Progress) -> pb.AskStreamResponse:
    """Write a step."""
    return pb.AskStreamResponse(
        progress=pb.AskProgress(
            stage=enums.STAGE.encode(step.stage),
            decision=step.decision,
            message=step.message,
            classification=meaning.encode_classification(step.classification) if step.classification else None,
        )
    )


def broken(error: FactoryError, call: Call, language: str) -> pb.AskStreamResponse:
    """Write the error that ends a stream."""
    return pb.AskStreamResponse(error=errors.encode_error(error, call.request_id, language))


def wanted(request: pb.ListDecisionsRequest) -> DecisionFilter:
    """Read a filter."""
    return DecisionFilter(
        plant=_id(request.plant),
        state=enums.STATE.decode(request.state),
        intent=enums.INTENT.decode(request.intent),
        conversation=_id(request.conversation),
        start=values.instant(request.start_time) if request.HasField("start_time") else None,
        end=values.instant(request.end_time) if request.HasField("end_time") else None,
    )


def page(found: Page) -> pb.ListDecisionsResponse:
    """Write a page."""
    shown = [decisions.encode_summary(each) for each in found.decisions]
    return pb.ListDecisionsResponse(decisions=shown, next_page_token=found.next_token)


def feedback(request: pb.AddFeedbackRequest, call: Call, now: datetime) -> Feedback:
    """Read feedback; who gave it and when is known here and not believed from the wire."""
    given = request.feedback
    return Feedback(
        enums.THUMB.decode(given.thumb),
        given.rating,
        given.comment,
        enums.INTENT.decode(given.corrected_intent),
        call.principal.subject,
        now,
    )


def identifier(name: str) -> str:
    """Return `1` of `decisions/1`."""
    return _id(name)


def _id(name: str) -> str:
    return name.rpartition("/")[2]
