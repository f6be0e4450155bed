"""One turn of a conversation: what it means, how it is answered, what is remembered of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.errors import FactoryError, Reason
from services.orchestrator.domain import checker, conversation, grounding, planner
from services.orchestrator.domain.answers import writing
from services.orchestrator.domain.answers.phrases import Phrases
from services.orchestrator.domain.conversation import Meaning
from services.orchestrator.domain.decision import Answer, Conversation, Decision, State
from services.orchestrator.domain.figures import RunResult
from services.orchestrator.domain.grounding import Lack, Scope
from services.orchestrator.domain.language import choose
from services.orchestrator.domain.meaning import (
    SERVED,
    Classification,
    DialogueContext,
    Intent,
    Window,
    slots_named,
)
from services.orchestrator.domain.periods import default_window
from services.orchestrator.domain.plan import Plan
from services.orchestrator.domain.plant import Catalog
from services.orchestrator.domain.ports import Catalogs, Clock, NewId, Router, Store, Utterance, Workflow
from services.orchestrator.domain.replies import Desk, Reply
from services.orchestrator.domain.templates import Templates

# Before somebody is told that the plant lacks what they ask for, the catalogue is read anew unless this young.
_FRESH_S = 1.0
_CATALOGUE_MOVED = frozenset({Reason.DATA_NOT_AVAILABLE, Reason.UNKNOWN_METRIC, Reason.UNKNOWN_TARGET})


class Stage(StrEnum):
    """How far the work is."""

    ACCEPTED = "ACCEPTED"
    CLASSIFIED = "CLASSIFIED"
    PLANNED = "PLANNED"
    EXECUTED = "EXECUTED"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step forward. `decision` is a resource name, `message` is in the answer's language."""

    stage: Stage
    decision: str
    message: str
    classification: Classification | None = None


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `plant` and `conversation` are bare ids, empty where not given; so is `as_of` None."""

    text: str
    plant: str = ""
    conversation: str = ""
    language: str = ""
    as_of: datetime | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `seconds_left` is what the call's deadline allows, None without one."""

    tenant: str
    subject: str
    plant: str = ""
    language: str = ""
    seconds_left: float | None = None


@dataclass(slots=True)
class Turn:
    """A question that was accepted. `decision` is RUNNING and learns what is known as the work goes on."""

    tenant: str
    decision: Decision
    context: DialogueContext
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended, and what is remembered."""

    decision: Decision
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything that is said, as data."""

    phrases: Phrases
    small_talk: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Answering:
    """Answers questions; keeps nothing itself."""

    router: Router
    workflow: Workflow
    catalogs: Catalogs
    store: Store
    templates: Templates
    wording: Wording
    clock: Clock
    new_id: NewId
    default_plant: str

    async def accept(self, question: Question, caller: Caller) -> Turn:
        """Find out where the question belongs. Raises NotFound(UNKNOWN_PLANT), Unavailable; nothing is kept yet."""
        now = self.clock.now()
        known = await self._conversation(caller.tenant, question.conversation, now)
        plant = question.plant or (known.plant if known else "") or caller.plant or self.default_plant
        catalog = await self.catalogs.get(caller.tenant, plant)
        decision = Decision(
            id=self.new_id(),
            state=State.RUNNING,
            question=question.text,
            plant=plant,
            conversation=question.conversation or self.new_id(),
            language=choose(question.language, question.text, known.language if known else "", caller.language),
            as_of=question.as_of or now,
            principal=caller.subject,
            request_id=question.request_id,
            create_time=now,
            catalog_version=catalog.version,
        )
        # What was said of one plant means nothing in another.
        context = known.context if known and known.plant == plant else DialogueContext()
        return Turn(caller.tenant, decision, context, catalog)

    async def _conversation(self, tenant: str, conversation_id: str, now: datetime) -> Conversation | None:
        if not conversation_id:
            return None
        known = await self.store.conversation(tenant, conversation_id)
        return None if known is None or known.expired(now) else known

    async def answer(self, turn: Turn, report: Report) -> Outcome:
        """Do the work. Raises services.errors where a neighbour or the run failed."""
        decision = turn.decision
        asked = Utterance(decision.question, decision.plant, decision.language, decision.as_of, turn.context)
        classification = await self.router.classify(asked)
        turn.decision = replace(decision, classification=classification)
        self._tell(turn, report, Stage.CLASSIFIED)
        reply = self._converse(turn, classification)
        if reply is not None:
            return self._replied(turn, reply, Meaning(classification.intent, classification.slots))
        meaning = self._meaning(turn, classification)
        if meaning.intent is Intent.UNSPECIFIED:
            return self._replied(turn, self._desk(turn).unclear("talk.nothing_to_continue"), meaning)
        if meaning.intent not in SERVED:
            return self._replied(turn, self._desk(turn).unserved(meaning.intent, meaning.slots), meaning)
        grounded = await self._ground(turn, meaning)
        if isinstance(grounded, Lack):
            return self._replied(turn, self._desk(turn).lacking(grounded, meaning.intent, meaning.slots), meaning)
        return await self._run(turn, meaning, grounded, report)

    def accepted(self, turn: Turn) -> Progress:
        """Return the first step of a turn."""
        return self._progress(turn, Stage.ACCEPTED)

    def failed(self, turn: Turn, error: FactoryError) -> Outcome:
        """End a turn that could not be answered; the conversation stands where it stood."""
        now = self.clock.now()
        return Outcome(
            replace(turn.decision, state=State.FAILED, error=error, end_time=now),
            self._remember(turn, turn.context, now),
        )

    def _desk(self, turn: Turn) -> Desk:
        decision = turn.decision
        return Desk(
            decision.language,
            self.wording.phrases,
            turn.catalog,
            decision.as_of,
            self.templates.main_metrics,
            self.wording.small_talk,
        )

    def _converse(self, turn: Turn, classification: Classification) -> Reply | None:
        """Reply where talk is all that is wanted, or where the router has to know more."""
        desk = self._desk(turn)
        match classification.intent:
            case Intent.STOP:
                return desk.stop()
            case Intent.SYSTEM:
                return desk.talk(turn.decision.question)
            case Intent.CLARIFY | Intent.UNSPECIFIED:
                return desk.asked(classification)
            case _:
                if classification.ask_back is None or conversation.takes_offer(classification, turn.context):
                    return None
                return desk.asked(classification)

    def _meaning(self, turn: Turn, classification: Classification) -> Meaning:
        return conversation.resolve(
            classification, turn.context, turn.catalog, turn.decision.as_of, self.templates.main_metrics
        )

    async def _ground(self, turn: Turn, meaning: Meaning) -> Scope | Lack:
        found = self._scope(turn, meaning)
        if isinstance(found, Scope):
            return found
        version = turn.catalog.version
        await self._refresh(turn)
        return found if turn.catalog.version == version else self._scope(turn, meaning)

    def _scope(self, turn: Turn, meaning: Meaning) -> Scope | Lack:
        return grounding.ground(
            meaning.intent, meaning.slots, turn.catalog, turn.decision.as_of, self.templates.main_metrics
        )

    async def _refresh(self, turn: Turn) -> None:
        turn.catalog = await self.catalogs.get(turn.tenant, turn.decision.plant, max_age=_FRESH_S)
        turn.decision = replace(turn.decision, catalog_version=turn.catalog.version)

    async def _run(self, turn: Turn, meaning: Meaning, scope: Scope, report: Report) -> Outcome:
        plan, result = await self._execute(turn, scope, report)
        wider = grounding.widened(scope)
        if wider is not None and result.error is None and not _has_figures(result):
            scope = wider
            plan, result = await self._execute(turn, scope, report)
        if result.error is not None:
            return await self._run_failed(turn, meaning, result.error)
        self._tell(turn, report, Stage.EXECUTED)
        meant = _meant(meaning, scope)
        answer = writing.write(scope, result, turn.decision.language, self.wording.phrases, meant)
        return self._ended(turn, answer, plan, conversation.answered(turn.context, meaning))

    async def _execute(self, turn: Turn, scope: Scope, report: Report) -> tuple[Plan, RunResult]:
        template = self.templates.of(scope.template)
        plan = planner.make(template, scope)
        checker.admit(plan, template.route, scope.catalog)
        turn.decision = replace(turn.decision, plan=plan)
        self._tell(turn, report, Stage.PLANNED)
        assert plan.definition is not None  # noqa: S101 - a template's plan has one
        result = await self.workflow.run(turn.decision.plant, plan.definition, turn.decision.as_of)
        turn.decision = replace(turn.decision, run=result.run)
        return plan, result

    async def _run_failed(self, turn: Turn, meaning: Meaning, error: FactoryError) -> Outcome:
        """Look whether the plant has changed under the plan; then what it lacks now is the answer."""
        if error.reason in _CATALOGUE_MOVED:
            await self._refresh(turn)
            found = self._scope(turn, meaning)
            if isinstance(found, Lack):
                return self._replied(turn, self._desk(turn).lacking(found, meaning.intent, meaning.slots), meaning)
        raise error

    def _replied(self, turn: Turn, reply: Reply, meaning: Meaning) -> Outcome:
        context = turn.context
        if reply.kind == "stop":
            context = conversation.stopped(context)
        elif reply.kind == "unserved" and reply.answer.ask_back is not None:
            # "And line 2?" after an offer asks for the offer on line 2.
            nearest = Meaning(reply.answer.ask_back.intent, reply.known)
            context = conversation.asked_back(
                conversation.answered(context, nearest), reply.answer.ask_back, reply.known
            )
        elif reply.answer.ask_back is not None:
            context = conversation.asked_back(context, reply.answer.ask_back, reply.known)
        elif reply.kind.startswith("lack"):
            context = conversation.answered(context, meaning)
        return self._ended(turn, reply.answer, planner.none(reply.kind), context)

    def _ended(self, turn: Turn, answer: Answer, plan: Plan, context: DialogueContext) -> Outcome:
        now = self.clock.now()
        decision = replace(turn.decision, state=State.SUCCEEDED, answer=answer, plan=plan, end_time=now)
        return Outcome(decision, self._remember(turn, context, now))

    @staticmethod
    def _remember(turn: Turn, context: DialogueContext, now: datetime) -> Conversation:
        decision = turn.decision
        return Conversation(decision.conversation, decision.plant, decision.language, context, now)

    def _tell(self, turn: Turn, report: Report, stage: Stage) -> None:
        report(self._progress(turn, stage))

    def _progress(self, turn: Turn, stage: Stage) -> Progress:
        decision = turn.decision
        phrases, language = self.wording.phrases, decision.language
        plan = decision.plan.definition.display.of(language) if decision.plan and decision.plan.definition else ""
        what = phrases.say(f"intent.{decision.intent}", language)
        message = phrases.say(f"progress.{stage}", language, what=what, plan=plan)
        return Progress(stage, decision.name, message, decision.classification)


def _has_figures(result: RunResult) -> bool:
    columns = result.data.table.columns if result.data else ()
    return any(isinstance(cell, float) for each in columns if each.id != "window" for cell in each.cells)


def _meant(meaning: Meaning, scope: Scope) -> Window:
    """Return the period that was meant, before it moved to where data are."""
    named = next((slot.window for slot in slots_named(meaning.slots, "period") if slot.window), None)
    return named or default_window(scope.template, scope.catalog, scope.as_of)
