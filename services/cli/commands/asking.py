"""ask, classify: one question."""

import contextlib
import uuid
from typing import Annotated, Literal

import typer
from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2
from factoryai.router.v1 import intent_pb2, router_service_pb2
from rich.table import Table
from rich.text import Text

from services.cli.exit_codes import ExitCode
from services.cli.failure import ApiError, BadReply, CliError, of_status
from services.cli.moments import parse_moment
from services.cli.rest import Reply, Rest
from services.cli.session import Session
from services.cli.views import decision as decision_view
from services.cli.views.table import NOTHING
from services.cli.views.text import plain
from services.cli.words import Words

Question = Annotated[str, typer.Argument(help="ask.question")]
Plant = Annotated[str, typer.Option(help="option.plant")]
AnswerLanguage = Annotated[Literal["ko", "en"] | None, typer.Option(help="ask.language")]
Conversation = Annotated[str, typer.Option(help="ask.conversation")]
AsOf = Annotated[str | None, typer.Option(help="option.as_of")]
WithEvidence = Annotated[bool, typer.Option("--evidence", help="ask.evidence")]


def ask(
    session: Session,
    question: Question,
    *,
    plant: Plant = "",
    language: AnswerLanguage = None,
    as_of: AsOf = None,
    conversation: Conversation = "",
    request_id: Annotated[str, typer.Option(help="option.request_id")] = "",
    evidence: WithEvidence = False,
) -> ExitCode:
    """Ask one question and show the answer."""
    request = orchestrator_service_pb2.AskRequest(
        question=question,
        plant=plant,
        conversation=conversation,
        language=language or "",
        as_of=parse_moment(as_of, "--as-of"),
        request_id=request_id or uuid.uuid4().hex,
    )
    with session.connect() as rest:
        if session.shared.as_json:
            reply = rest.post("/v1/ask", request, orchestrator_service_pb2.AskResponse)
            session.print_json(reply.json)
            return exit_code(reply.message.decision)
        decision = ask_streaming(session, rest, request)
    return show(session, decision, with_evidence=evidence)


def ask_streaming(session: Session, rest: Rest, request: orchestrator_service_pb2.AskRequest) -> decision_pb2.Decision:
    """Ask and show the progress; Ctrl-C calls the decision off. Raises ApiError where the stream ends in an error."""
    streamed = orchestrator_service_pb2.AskStreamRequest.FromString(request.SerializeToString())
    name = ""
    try:
        with session.progress("ask.sending") as tell:
            for event in rest.stream("/v1/ask:stream", streamed, orchestrator_service_pb2.AskStreamResponse):
                match event.message.WhichOneof("event"):
                    case "progress":
                        name = event.message.progress.decision or name
                        tell(plain(event.message.progress.message))
                    case "decision":
                        return event.message.decision
                    case "error":
                        raise of_status(event.message.error, event.request_id)
    except KeyboardInterrupt:
        if name:
            # The person is gone already; what comes of it no longer matters.
            with contextlib.suppress(ApiError, CliError):
                cancel(rest, name)
        raise
    # The contract ends every stream in a decision or an error; one that just stops was cut off on the way.
    raise BadReply(rest.url)


def cancel(rest: Rest, name: str) -> Reply[orchestrator_service_pb2.CancelDecisionResponse]:
    """Call a decision off."""
    empty = orchestrator_service_pb2.CancelDecisionRequest()
    return rest.post(f"/v1/{name}:cancel", empty, orchestrator_service_pb2.CancelDecisionResponse)


def show(session: Session, decision: decision_pb2.Decision, *, with_evidence: bool) -> ExitCode:
    """Show a decision that was just made, and return what it means for a script. Raises ApiError for a failed one."""
    if decision.state == decision_pb2.DECISION_STATE_FAILED:
        raise of_status(decision.error)
    session.show(decision_view.render(decision, session.words, with_evidence=with_evidence))
    if session.interactive and decision.conversation:
        session.say("ask.go_on", conversation=decision.conversation.removeprefix("conversations/"))
    return exit_code(decision)


def exit_code(decision: decision_pb2.Decision) -> ExitCode:
    """Return the exit code for a decision's state."""
    if decision.state == decision_pb2.DECISION_STATE_SUCCEEDED:
        return ExitCode.OK
    if decision.state == decision_pb2.DECISION_STATE_FAILED:
        return of_status(decision.error).exit_code
    return ExitCode.UNFINISHED


def classify(
    session: Session,
    utterance: Annotated[str, typer.Argument(help="classify.utterance")],
    *,
    plant: Plant = "",
    language: AnswerLanguage = None,
    as_of: AsOf = None,
) -> ExitCode:
    """Show what an utterance means, without answering it."""
    request = router_service_pb2.ClassifyRequest(
        utterance=utterance, plant=plant, language=language or "", as_of=parse_moment(as_of, "--as-of")
    )
    with session.connect() as rest:
        reply = rest.post("/v1/intents:classify", request, router_service_pb2.ClassifyResponse)
    if session.shared.as_json:
        session.print_json(reply.json)
    else:
        _show_classification(session, reply.message.classification)
    return ExitCode.OK


def intent_name(intent: "intent_pb2.Intent.ValueType", words: Words) -> str:
    """Return an intent as `name (INTENT_X)`."""
    known = intent_pb2.Intent.DESCRIPTOR.values_by_number.get(intent)
    if known is None:
        return str(intent)
    short = known.name.removeprefix("INTENT_")
    return f"{words(f'intent.{short}')} ({short})"


def _show_classification(session: Session, found: intent_pb2.Classification) -> None:
    words = session.words
    facts = Table.grid(padding=(0, 2))
    route = intent_pb2.RouteTarget.Name(found.route_target).removeprefix("ROUTE_TARGET_")
    source = intent_pb2.ClassificationSource.Name(found.source).removeprefix("CLASSIFICATION_SOURCE_")
    facts.add_row(Text(words("classify.intent"), style="bold"), Text(intent_name(found.intent, words)))
    facts.add_row(Text(words("classify.confidence"), style="bold"), Text(f"{found.confidence:.2f}"))
    facts.add_row(Text(words("classify.route"), style="bold"), Text(route))
    facts.add_row(Text(words("classify.source"), style="bold"), Text(source))
    others = ", ".join(f"{intent_name(each.intent, words)} {each.confidence:.2f}" for each in found.secondary_intents)
    if others:
        facts.add_row(Text(words("classify.others"), style="bold"), Text(others))
    session.out.print(facts)
    if found.slots:
        slots = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for key in ("slot", "value", "text", "origin"):
            slots.add_column(words(f"classify.{key}"))
        for slot in found.slots:
            origin = intent_pb2.SlotOrigin.Name(slot.origin).removeprefix("SLOT_ORIGIN_")
            cells = (slot.name, plain(slot.value), plain(slot.text) or NOTHING, words(f"origin.{origin}"))
            slots.add_row(*(Text(cell) for cell in cells))
        session.out.print()
        session.out.print(slots)
    if found.HasField("ask_back"):
        session.out.print()
        session.out.print(Text(plain(found.ask_back.question)))
        for line in decision_view.ask_back(found.ask_back, words):
            session.out.print(line)
