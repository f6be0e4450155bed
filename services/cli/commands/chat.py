"""chat: a conversation at the prompt."""

import sys
import uuid
from collections.abc import Sequence

from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2

from services.cli.commands.asking import AnswerLanguage, AsOf, Conversation, Plant, WithEvidence, ask_streaming, show
from services.cli.exit_codes import ExitCode
from services.cli.failure import ApiError, CliError
from services.cli.moments import parse_moment
from services.cli.rest import Rest
from services.cli.session import Session
from services.cli.views.table import localized
from services.cli.words import Words

_LEAVING = frozenset({"/quit", "/exit", "/q"})
_FATAL = frozenset({ExitCode.REFUSED, ExitCode.USAGE})


def chat(
    session: Session,
    *,
    plant: Plant = "",
    language: AnswerLanguage = None,
    as_of: AsOf = None,
    conversation: Conversation = "",
    evidence: WithEvidence = False,
) -> ExitCode:
    """Talk until /quit or Ctrl-D. One line in, one answer out; with --json one object a line."""
    request = orchestrator_service_pb2.AskRequest(
        plant=plant,
        conversation=conversation or uuid.uuid4().hex,
        language=language or "",
        as_of=parse_moment(as_of, "--as-of"),
    )
    with session.connect() as rest:
        if session.interactive:
            _prepare_line_editing()
            session.say("chat.welcome")
        return _converse(session, rest, request, with_evidence=evidence)


def _converse(
    session: Session, rest: Rest, request: orchestrator_service_pb2.AskRequest, *, with_evidence: bool
) -> ExitCode:
    options: Sequence[str] = ()
    outcome = ExitCode.OK
    while (line := _read(session)) is not None:
        question = choose(line, options)
        if not question:
            continue
        if question in _LEAVING:
            break
        request.question = question
        request.request_id = uuid.uuid4().hex
        try:
            outcome, options = _turn(session, rest, request, with_evidence=with_evidence)
        except KeyboardInterrupt:
            session.say("chat.called_off")
        except (ApiError, CliError) as failure:
            # One bad question does not end a conversation; a closed door does.
            if failure.exit_code in _FATAL:
                raise
            outcome = failure.exit_code
            for told in failure.lines(session.words):
                session.err.print(told, soft_wrap=True)
    return ExitCode.OK if session.interactive else outcome


def _turn(
    session: Session, rest: Rest, request: orchestrator_service_pb2.AskRequest, *, with_evidence: bool
) -> tuple[ExitCode, Sequence[str]]:
    if session.shared.as_json:
        reply = rest.post("/v1/ask", request, orchestrator_service_pb2.AskResponse)
        session.print_json(reply.json)
        return ExitCode.OK, offered(reply.message.decision, session.words)
    decision = ask_streaming(session, rest, request)
    outcome = show(session, decision, with_evidence=with_evidence)
    session.out.print()
    return outcome, offered(decision, session.words)


def offered(decision: decision_pb2.Decision, words: Words) -> Sequence[str]:
    """Return the options of a question back, in the words in which they were shown."""
    language = words.spoken_in(decision.answer.language).language
    return [localized(option.label, language) or option.value for option in decision.answer.ask_back.options]


def choose(line: str, options: Sequence[str]) -> str:
    """Return what to ask: the words of an option for its number, else the line itself."""
    said = line.strip()
    return options[int(said) - 1] if said.isdecimal() and 1 <= int(said) <= len(options) else said


def _read(session: Session) -> str | None:
    """Return the next line, None at the end. At a prompt, Ctrl-C drops the line as shells do."""
    if not session.interactive:
        return sys.stdin.readline() or None
    while True:
        try:
            return input(session.words("chat.prompt"))
        except EOFError:
            session.err.print()
            return None
        except KeyboardInterrupt:
            session.err.print()


def _prepare_line_editing() -> None:
    """Give `input` history and editing, where this Python has them."""
    try:
        import readline  # noqa: PLC0415, F401 - importing it is what switches it on
    except ImportError:
        return
