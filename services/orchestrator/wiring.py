"""Composition root of the orchestrator."""

import importlib.resources

import yaml
from factoryai.orchestrator.v1 import orchestrator_service_pb2_grpc

from services.chassis.idempotency import Idempotency, MemoryRequestLog, PostgresRequestLog
from services.chassis.ids import new_id
from services.chassis.postgres import Database
from services.chassis.server import Platform, Service
from services.orchestrator.adapters.budget import CallBudget
from services.orchestrator.adapters.data import StubCatalogs
from services.orchestrator.adapters.router import StubRouter
from services.orchestrator.adapters.workflow import StubWorkflow
from services.orchestrator.domain.answering import Answering, Wording
from services.orchestrator.domain.answers.phrases import Phrases
from services.orchestrator.domain.asking import Asking, Limits
from services.orchestrator.domain.decisions import Decisions
from services.orchestrator.domain.ports import Store
from services.orchestrator.domain.templates import Templates
from services.orchestrator.servicer import OrchestratorServicer
from services.orchestrator.settings import OrchestratorSettings
from services.orchestrator.store import migrations
from services.orchestrator.store.memory import MemoryStore
from services.orchestrator.store.postgres import PostgresStore


def build(settings: OrchestratorSettings, platform: Platform) -> Service:
    """Put the orchestrator together."""
    database = _database(settings, platform)
    store: Store = PostgresStore(database) if database else MemoryStore()
    requests = PostgresRequestLog(database) if database else MemoryRequestLog(platform.clock)
    catalogs = StubCatalogs(
        platform.channels, platform.clock, fresh_s=settings.catalog_fresh_s, stale_s=settings.catalog_stale_s
    )
    answering = Answering(
        router=StubRouter(platform.channels),
        workflow=StubWorkflow(platform.channels),
        catalogs=catalogs,
        store=store,
        templates=templates(),
        wording=wording(),
        clock=platform.clock,
        new_id=lambda: new_id(platform.clock),
        default_plant=settings.default_plant,
    )
    limits = Limits(answer_s=settings.ask_answer_s, work_s=settings.ask_work_s, background=settings.ask_background)
    asking = Asking(answering, store, CallBudget(), limits)
    decisions = Decisions(store, asking, platform.clock)
    servicer = OrchestratorServicer(asking, decisions, Idempotency(requests, metrics=platform.metrics), platform.clock)

    async def start() -> None:
        if database:
            await database.start()

    async def ready() -> bool:
        return await database.ready() if database else True

    async def stop() -> None:
        await asking.close()
        await catalogs.close()
        if database:
            await database.close()

    return Service(
        name="orchestrator",
        full_name="factoryai.orchestrator.v1.OrchestratorService",
        add_to=lambda server: orchestrator_service_pb2_grpc.add_OrchestratorServiceServicer_to_server(servicer, server),
        start=start,
        ready=ready,
        stop=stop,
    )


def templates() -> Templates:
    """Read the plan templates that ship with the service."""
    return Templates.parse(_documents("templates"))


def wording() -> Wording:
    """Read the sentences and cues that ship with the service."""
    talk = yaml.load(_file("small_talk.yaml"), Loader=yaml.CSafeLoader)
    return Wording(Phrases.parse(_documents("phrases")), talk)


def _documents(folder: str) -> list[object]:
    found = importlib.resources.files("services.orchestrator") / folder
    files = sorted((each for each in found.iterdir() if each.name.endswith(".yaml")), key=lambda each: each.name)
    return [yaml.load(each.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) for each in files]


def _file(name: str) -> str:
    return (importlib.resources.files("services.orchestrator") / name).read_text(encoding="utf-8")


def _database(settings: OrchestratorSettings, platform: Platform) -> Database | None:
    url = settings.database_url.get_secret_value()
    if not url:
        return None
    return Database(
        url,
        "orchestrator",
        importlib.resources.files(migrations),
        clock=platform.clock,
        metrics=platform.metrics,
        max_size=settings.database_pool_size,
    )
