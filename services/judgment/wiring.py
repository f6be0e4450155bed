"""Composition root of the judgment service."""

import importlib.resources

from factoryai.judgment.v1 import judgment_service_pb2_grpc

from services.chassis.ids import new_id
from services.chassis.postgres import Database
from services.chassis.server import Platform, Service
from services.judgment.adapters.rules import RuleEngine
from services.judgment.domain.judgments import Judgments
from services.judgment.domain.ports import JudgmentStore
from services.judgment.servicer import JudgmentServicer
from services.judgment.settings import JudgmentSettings
from services.judgment.store import migrations
from services.judgment.store.memory import MemoryJudgmentStore
from services.judgment.store.postgres import PostgresJudgmentStore


def build(settings: JudgmentSettings, platform: Platform) -> Service:
    """Put the judgment service together."""
    database = _database(settings, platform)
    store: JudgmentStore = PostgresJudgmentStore(database) if database else MemoryJudgmentStore()
    judgments = Judgments(
        store,
        RuleEngine(platform.channels.channel("rule")),
        now=platform.clock.now,
        new_id=lambda: new_id(platform.clock),
    )
    servicer = JudgmentServicer(judgments)

    async def start() -> None:
        if database:
            await database.start()

    async def ready() -> bool:
        return await database.ready() if database else True

    async def stop() -> None:
        if database:
            await database.close()

    return Service(
        name="judgment",
        full_name="factoryai.judgment.v1.JudgmentService",
        add_to=lambda server: judgment_service_pb2_grpc.add_JudgmentServiceServicer_to_server(servicer, server),
        start=start,
        ready=ready,
        stop=stop,
    )


def _database(settings: JudgmentSettings, platform: Platform) -> Database | None:
    url = settings.database_url.get_secret_value()
    if not url:
        return None
    return Database(
        url,
        "judgment",
        importlib.resources.files(migrations),
        clock=platform.clock,
        metrics=platform.metrics,
        max_size=settings.database_pool_size,
    )
