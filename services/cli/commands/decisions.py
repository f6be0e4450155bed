"""decisions: what was asked and what became of it."""

import uuid
from typing import Annotated, Literal
from urllib.parse import quote

import typer
from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2
from factoryai.router.v1 import intent_pb2
from rich import box
from rich.table import Table
from rich.text import Text

from services.cli.commands.asking import cancel as cancel_decision
from services.cli.commands.asking import intent_name
from services.cli.exit_codes import ExitCode
from services.cli.failure import UsageProblem, of_status
from services.cli.moments import as_query, parse_moment
from services.cli.session import Session
from services.cli.views import decision as decision_view
from services.cli.views.table import instant
from services.cli.views.text import plain

_STATE, _INTENT = "DECISION_STATE_", "INTENT_"

Id = Annotated[str, typer.Argument(help="decisions.id")]
State = Literal["running", "succeeded", "failed", "cancelled"]


def list_decisions(
    session: Session,
    *,
    plant: Annotated[str, typer.Option(help="option.plant")] = "",
    state: Annotated[State | None, typer.Option(help="decisions.state")] = None,
    intent: Annotated[str, typer.Option(help="decisions.intent")] = "",
    conversation: Annotated[str, typer.Option(help="decisions.conversation")] = "",
    since: Annotated[str | None, typer.Option(help="decisions.since")] = None,
    until: Annotated[str | None, typer.Option(help="decisions.until")] = None,
    page_size: Annotated[int, typer.Option(help="option.page_size", min=1, max=1000)] = 20,
    page_token: Annotated[str, typer.Option(help="option.page_token")] = "",
) -> ExitCode:
    """List decisions, newest first, a page at a time."""
    query = {
        "plant": plant,
        "state": _STATE + state.upper() if state else "",
        "intent": _intent(intent),
        "conversation": conversation,
        "startTime": as_query(parse_moment(since, "--since")),
        "endTime": as_query(parse_moment(until, "--until")),
        "pageSize": str(page_size),
        "pageToken": page_token,
    }
    with session.connect() as rest:
        reply = rest.get("/v1/decisions", orchestrator_service_pb2.ListDecisionsResponse, query)
    if session.shared.as_json:
        session.print_json(reply.json)
        return ExitCode.OK
    if not reply.message.decisions:
        session.say("decisions.none")
        return ExitCode.OK
    session.out.print(_overview(session, list(reply.message.decisions)))
    if reply.message.next_page_token:
        session.say("decisions.more", token=reply.message.next_page_token)
    return ExitCode.OK


def show_decision(
    session: Session,
    decision: Id,
    *,
    evidence: Annotated[bool, typer.Option("--evidence", help="ask.evidence")] = False,
) -> ExitCode:
    """Show one decision with its answer."""
    with session.connect() as rest:
        reply = rest.get(f"/v1/{_name(decision)}", orchestrator_service_pb2.GetDecisionResponse)
    if session.shared.as_json:
        session.print_json(reply.json)
        return ExitCode.OK
    found = reply.message.decision
    session.out.print(_facts(session, found))
    session.out.print()
    if found.state == decision_pb2.DECISION_STATE_FAILED:
        for line in of_status(found.error).lines(session.words):
            session.out.print(line, soft_wrap=True)
    else:
        session.show(decision_view.render(found, session.words, with_evidence=evidence))
    return ExitCode.OK


def feedback(
    session: Session,
    decision: Id,
    *,
    up: Annotated[bool | None, typer.Option("--up/--down", help="feedback.thumb")] = None,
    rating: Annotated[int | None, typer.Option(help="feedback.rating", min=1, max=5)] = None,
    comment: Annotated[str, typer.Option(help="feedback.comment")] = "",
    intent: Annotated[str, typer.Option(help="feedback.intent")] = "",
) -> ExitCode:
    """Say what you think of an answer."""
    if up is None and not (rating or comment or intent):
        raise UsageProblem("feedback.empty")
    thumbs = {None: "THUMB_UNSPECIFIED", True: "THUMB_UP", False: "THUMB_DOWN"}
    request = orchestrator_service_pb2.AddFeedbackRequest(
        feedback=decision_pb2.Feedback(
            thumb=decision_pb2.Feedback.Thumb.Value(thumbs[up]),
            rating=rating or 0,
            comment=comment,
            corrected_intent=intent_pb2.Intent.Value(_intent(intent) or "INTENT_UNSPECIFIED"),
        ),
        request_id=uuid.uuid4().hex,
    )
    with session.connect() as rest:
        path = f"/v1/{_name(decision)}:feedback"
        reply = rest.post(path, request, orchestrator_service_pb2.AddFeedbackResponse)
    if session.shared.as_json:
        session.print_json(reply.json)
    session.say("feedback.thanks")
    return ExitCode.OK


def cancel(session: Session, decision: Id) -> ExitCode:
    """Call off a decision that is still running."""
    with session.connect() as rest:
        reply = cancel_decision(rest, _name(decision))
    if session.shared.as_json:
        session.print_json(reply.json)
    session.say("decisions.cancelled" if reply.message.cancelled else "decisions.was_cancelled")
    return ExitCode.OK


def _name(decision: str) -> str:
    """Return `decisions/{id}` for either form, safe to stand in a path."""
    return "decisions/" + quote(decision.removeprefix("decisions/"), safe="")


def _intent(text: str) -> str:
    """Return the full name of an intent given as `check`, `CHECK` or `INTENT_CHECK`. Raises UsageProblem."""
    if not text:
        return ""
    name = _INTENT + text.upper().replace("-", "_").removeprefix(_INTENT)
    if name not in intent_pb2.Intent.keys() or name == "INTENT_UNSPECIFIED":  # noqa: SIM118 - an enum, no dict
        known = ", ".join(each.removeprefix(_INTENT).lower() for each in intent_pb2.Intent.keys()[1:])
        raise UsageProblem("usage.unknown_intent", intent=text, known=known)
    return name


def _overview(session: Session, decisions: list[decision_pb2.Decision]) -> Table:
    words = session.words
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for key in ("when", "id", "state_heading", "plant", "intent_heading", "question"):
        view.add_column(words(f"decisions.{key}"), overflow="fold", no_wrap=key in {"when", "id"})
    for each in decisions:
        cells = (
            instant(each.create_time),
            each.name.removeprefix("decisions/"),
            _state(session, each),
            each.plant.removeprefix("plants/"),
            intent_name(each.classification.intent, words),
            plain(each.question),
        )
        view.add_row(*(Text(cell) for cell in cells))
    return view


def _facts(session: Session, decision: decision_pb2.Decision) -> Table:
    words = session.words
    view = Table.grid(padding=(0, 2))
    facts = {
        "question": plain(decision.question),
        "id": decision.name.removeprefix("decisions/"),
        "state_heading": _state(session, decision),
        "when": instant(decision.create_time),
        "as_of": instant(decision.as_of),
        "plant": decision.plant.removeprefix("plants/"),
        "intent_heading": intent_name(decision.classification.intent, words),
        "principal": plain(decision.principal),
    }
    for key, value in facts.items():
        if value:
            view.add_row(Text(words(f"decisions.{key}"), style="bold"), Text(value))
    return view


def _state(session: Session, decision: decision_pb2.Decision) -> str:
    name = decision_pb2.DecisionState.Name(decision.state).removeprefix(_STATE)
    return session.words(f"state.{name}")
