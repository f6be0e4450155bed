"""Composition root of the rule service."""

import asyncio
import importlib.resources

import structlog
from factoryai.rule.v1 import rule_service_pb2_grpc

from services import errors
from services.chassis.auth import DEFAULT_TENANT
from services.chassis.idempotency import Idempotency, MemoryRequestLog, PostgresRequestLog
from services.chassis.postgres import Database
from services.chassis.server import Platform, Service
from services.rule.adapters.shipped import provision
from services.rule.domain.ports import RuleSetStore
from services.rule.domain.registry import RuleSets
from services.rule.servicer import RuleServicer
from services.rule.settings import RuleSettings
from services.rule.store import migrations
from services.rule.store.memory import MemoryRuleSetStore
from services.rule.store.postgres import PostgresRuleSetStore

log = structlog.get_logger(__name__)

_RETRY_S = 0.2


def build(settings: RuleSettings, platform: Platform) -> Service:
    """Put the rule service together."""
    database = _database(settings, platform)
    store: RuleSetStore = PostgresRuleSetStore(database) if database else MemoryRuleSetStore()
    requests = PostgresRequestLog(database) if database else MemoryRequestLog(platform.clock)
    rule_sets = RuleSets(store, now=platform.clock.now, monotonic=platform.clock.monotonic)
    servicer = RuleServicer(rule_sets, Idempotency(requests, metrics=platform.metrics))
    provisioning: set[asyncio.Task[None]] = set()

    async def start() -> None:
        if database:
            await database.start()
        if settings.provision_sample_rules:
            provisioning.add(asyncio.create_task(_provision(rule_sets), name="provision sample rules"))

    async def ready() -> bool:
        if database and not await database.ready():
            return False
        return all(task.done() for task in provisioning)

    async def stop() -> None:
        for task in provisioning:
            task.cancel()
        await asyncio.gather(*provisioning, return_exceptions=True)
        if database:
            await database.close()

    return Service(
        name="rule",
        full_name="factoryai.rule.v1.RuleService",
        add_to=lambda server: rule_service_pb2_grpc.add_RuleServiceServicer_to_server(servicer, server),
        start=start,
        ready=ready,
        stop=stop,
    )


def _database(settings: RuleSettings, platform: Platform) -> Database | None:
    url = settings.database_url.get_secret_value()
    if not url:
        return None
    return Database(
        url,
        "rule",
        importlib.resources.files(migrations),
        clock=platform.clock,
        metrics=platform.metrics,
        max_size=settings.database_pool_size,
    )


async def _provision(rule_sets: RuleSets) -> None:
    """Provision as soon as the database lets us."""
    while True:
        try:
            given = await provision(rule_sets, DEFAULT_TENANT)
        except (errors.Unavailable, errors.Overloaded, errors.DeadlineExceeded):
            await asyncio.sleep(_RETRY_S)
            continue
        if given:
            log.info("rule sets provisioned", tenant=DEFAULT_TENANT, names=given)
        return
