"""The orchestrator's methods: decode, await the domain, encode."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from factoryai.orchestrator.v1 import orchestrator_service_pb2 as pb
from factoryai.orchestrator.v1 import orchestrator_service_pb2_grpc

from services.chassis.call import current_call
from services.chassis.clock import Clock
from services.chassis.idempotency import Idempotency
from services.errors import FactoryError, Internal
from services.orchestrator import streaming
from services.orchestrator.codec import decisions, requests
from services.orchestrator.domain import language
from services.orchestrator.domain.answering import Report
from services.orchestrator.domain.asking import Asking
from services.orchestrator.domain.decisions import Decisions

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OrchestratorServicer(orchestrator_service_pb2_grpc.OrchestratorServiceServicer):
    """`factoryai.orchestrator.v1.OrchestratorService`."""

    asking: Asking
    decisions: Decisions
    idempotency: Idempotency
    clock: Clock

    async def Ask(self, request: pb.AskRequest, _: Any) -> pb.AskResponse:  # noqa: N802
        """Answer a question."""
        return await self._once(request, None)

    async def AskStream(self, request: pb.AskStreamRequest, _: Any) -> AsyncIterator[pb.AskStreamResponse]:  # noqa: N802
        """Answer a question and tell how it goes."""
        call = current_call()
        ask = requests.ask_request(request)
        begun = False

        async def work(report: Report) -> pb.AskResponse:
            return await self._once(ask, report)

        try:
            # A stream and a call with one request_id are one question.
            async for event in streaming.events(work):
                if isinstance(event, streaming.Ended):
                    yield pb.AskStreamResponse(decision=event.result.decision, created=event.result.created)
                else:
                    begun = True
                    yield requests.progress(event)
        except FactoryError as error:
            if not begun:
                raise
            yield requests.broken(error, call, language.choose(request.language, request.question, "", call.language))
        except Exception:
            if not begun:
                raise
            # The chain would end the stream with a bare status, which the edge cannot turn into an event.
            log.exception("question failed in its stream")
            yield requests.broken(Internal("our own bug"), call, "")

    async def _once(self, request: pb.AskRequest, report: Report | None) -> pb.AskResponse:
        call = current_call()

        async def work() -> pb.AskResponse:
            caller = requests.caller(call, time.monotonic())
            decision = await self.asking.ask(requests.question(request), caller, report)
            return requests.answered(decision, created=True)

        response, mine = await self.idempotency.once(
            call.tenant, request.request_id, "Ask", request, work, pb.AskResponse
        )
        if mine:
            return response
        # The same decision, as it stands now: it may have been RUNNING when it was first told.
        known = await self.decisions.get(call.tenant, requests.identifier(response.decision.name))
        return requests.answered(known, created=False)

    async def GetDecision(self, request: pb.GetDecisionRequest, _: Any) -> pb.GetDecisionResponse:  # noqa: N802
        """Read a decision."""
        found = await self.decisions.get(current_call().tenant, requests.identifier(request.name))
        return pb.GetDecisionResponse(decision=decisions.encode_decision(found))

    async def ListDecisions(self, request: pb.ListDecisionsRequest, _: Any) -> pb.ListDecisionsResponse:  # noqa: N802
        """List decisions, newest first."""
        tenant = current_call().tenant
        found = await self.decisions.page(tenant, requests.wanted(request), request.page_size, request.page_token)
        return requests.page(found)

    async def CancelDecision(self, request: pb.CancelDecisionRequest, _: Any) -> pb.CancelDecisionResponse:  # noqa: N802
        """Call a decision off."""
        found, mine = await self.decisions.cancel(current_call().tenant, requests.identifier(request.name))
        return pb.CancelDecisionResponse(decision=decisions.encode_decision(found), cancelled=mine)

    async def AddFeedback(self, request: pb.AddFeedbackRequest, _: Any) -> pb.AddFeedbackResponse:  # noqa: N802
        """Keep what a person thought of an answer."""
        call = current_call()

        async def work() -> pb.AddFeedbackResponse:
            given = requests.feedback(request, call, self.clock.now())
            found = await self.decisions.add_feedback(call.tenant, requests.identifier(request.name), given)
            return pb.AddFeedbackResponse(decision=decisions.encode_decision(found), created=True)

        response, mine = await self.idempotency.once(
            call.tenant, request.request_id, "AddFeedback", request, work, pb.AddFeedbackResponse
        )
        response.created = mine
        return response

    async def GetConversation(self, request: pb.GetConversationRequest, _: Any) -> pb.GetConversationResponse:  # noqa: N802
        """Read what is remembered of a conversation."""
        found = await self.decisions.conversation(current_call().tenant, requests.identifier(request.name))
        return pb.GetConversationResponse(conversation=decisions.encode_conversation(found))
