"""The composition root of the data service: the only file that names concrete classes."""

import importlib.resources

from factoryai.data.v1 import data_service_pb2_grpc

from services.chassis.idempotency import Idempotency, MemoryRequestLog, PostgresRequestLog
from services.chassis.ids import new_id
from services.chassis.postgres import Database
from services.chassis.server import Platform, Service
from services.data.domain import metrics, sample_model
from services.data.domain.intake import Intake
from services.data.domain.ports import Store
from services.data.domain.reader import Reader
from services.data.domain.sampler import Sampler
from services.data.servicer import DataServicer
from services.data.settings import DataSettings
from services.data.store import migrations
from services.data.store.memory import MemoryStore
from services.data.store.postgres import PostgresStore


def build(settings: DataSettings, platform: Platform) -> Service:
    """Put the data service together."""
    database = _database(settings, platform)
    store: Store = PostgresStore(database) if database else MemoryStore()
    requests = PostgresRequestLog(database) if database else MemoryRequestLog(platform.clock)
    known = metrics.parse(_definition("metrics.yaml"))
    servicer = DataServicer(
        reader=Reader(store, known),
        intake=Intake(store, known, now=platform.clock.now, new_id=lambda: new_id(platform.clock)),
        sampler=Sampler(store, sample_model.parse(_definition("sample_plant.yaml"))),
        idempotency=Idempotency(requests, metrics=platform.metrics),
        now=platform.clock.now,
    )

    async def start() -> None:
        if database:
            await database.start()

    async def ready() -> bool:
        return database is None or await database.ready()

    async def stop() -> None:
        if database:
            await database.close()

    return Service(
        name="data",
        full_name="factoryai.data.v1.DataService",
        add_to=lambda server: data_service_pb2_grpc.add_DataServiceServicer_to_server(servicer, server),
        start=start,
        ready=ready,
        stop=stop,
    )


def _definition(name: str) -> str:
    return importlib.resources.files("services.data.domain").joinpath(name).read_text(encoding="utf-8")


def _database(settings: DataSettings, platform: Platform) -> Database | None:
    url = settings.database_url.get_secret_value()
    if not url:
        return None
    return Database(
        url,
        "data",
        importlib.resources.files(migrations),
        clock=platform.clock,
        metrics=platform.metrics,
        max_size=settings.database_pool_size,
    )
