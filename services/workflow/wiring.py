"""The composition root of the workflow service: the only file that names concrete classes."""

import importlib.resources
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from factoryai.workflow.v1 import workflow_service_pb2_grpc

from services.chassis.ids import new_id
from services.chassis.postgres import Database
from services.chassis.server import Platform, Service
from services.workflow.adapters.data import DataLayer
from services.workflow.adapters.judgment import JudgmentEngine
from services.workflow.adapters.rule import RuleEngine
from services.workflow.adapters.telemetry import Telemetry
from services.workflow.domain.conditions import Conditions
from services.workflow.domain.engine import Engine
from services.workflow.domain.inline import InlineHost
from services.workflow.domain.nodes.work import Tools
from services.workflow.domain.ports import RunStore
from services.workflow.servicer import WorkflowServicer
from services.workflow.settings import WorkflowSettings
from services.workflow.store.memory import MemoryRunStore
from services.workflow.store.postgres import PostgresRunStore


def build(settings: WorkflowSettings, platform: Platform) -> Service:
    """Put the service together; nothing is opened before `start`."""
    storage = _storage(settings, platform)
    conditions = Conditions()
    tools = Tools(
        data=DataLayer(platform.channels.channel("data")),
        judge=JudgmentEngine(platform.channels.channel("judgment")),
        rules=RuleEngine(platform.channels.channel("rule")),
        conditions=conditions,
    )
    engine = Engine(
        storage.store,
        InlineHost(tools, platform.clock, chance=random.Random()),  # noqa: S311 - jitter, no secret
        Telemetry(platform.metrics),
        platform.clock,
        new_id=lambda: new_id(platform.clock),
        conditions=conditions,
    )
    servicer = WorkflowServicer(engine)
    return Service(
        name="workflow",
        full_name="factoryai.workflow.v1.WorkflowService",
        add_to=lambda server: workflow_service_pb2_grpc.add_WorkflowServiceServicer_to_server(servicer, server),
        start=storage.start,
        ready=storage.ready,
        stop=storage.stop,
    )


@dataclass(frozen=True)
class _Storage:
    store: RunStore
    start: Callable[[], Awaitable[None]]
    ready: Callable[[], Awaitable[bool]]
    stop: Callable[[], Awaitable[None]]


def _storage(settings: WorkflowSettings, platform: Platform) -> _Storage:
    """Keep runs in PostgreSQL; in development without a database in memory, as long as the process lives."""
    url = settings.database_url.get_secret_value()
    if not url:
        return _Storage(MemoryRunStore(), _nothing, _always, _nothing)
    database = Database(
        url,
        "workflow",
        importlib.resources.files("services.workflow.store") / "migrations",
        clock=platform.clock,
        metrics=platform.metrics,
        max_size=settings.database_pool_size,
    )
    return _Storage(PostgresRunStore(database), database.start, database.ready, database.close)


async def _nothing() -> None:
    """Do nothing: memory is neither opened nor closed."""


async def _always() -> bool:
    return True
