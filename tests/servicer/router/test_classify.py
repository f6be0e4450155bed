"""The router behind its real chain, with a data service beside it whose catalogue the tests hold."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc, plant_pb2
from factoryai.router.v1 import intent_pb2, router_service_pb2, router_service_pb2_grpc

from services.chassis.call import current_call
from services.chassis.host import Part
from services.chassis.server import Platform, Service
from services.chassis.settings import ServiceSettings
from services.errors import Invalid, NotFound, Reason, Unavailable
from services.router.settings import RouterSettings
from services.router.wiring import build
from tests.support.catalogs import catalog
from tests.support.server import WIRINGS, Running, Wiring, calling, serve, settings, until

AS_OF = 1_795_156_200  # 2026-11-20 15:30 in Seoul


class Plants(data_service_pb2_grpc.DataServiceServicer):
    """A data service that knows catalogues and nothing else."""

    def __init__(self) -> None:
        self.catalogs = {f"plants/{name}": catalog(name) for name in ("sample", "bottling", "steel")}
        self.asked: list[data_service_pb2.GetCatalogRequest] = []
        self.tenants: list[str] = []
        self.away = False

    async def GetCatalog(self, request: data_service_pb2.GetCatalogRequest, _: Any) -> Any:  # noqa: N802
        self.asked.append(request)
        self.tenants.append(current_call().tenant)
        if self.away:
            raise Unavailable("the database is away")
        found = self.catalogs.get(request.plant)
        if found is None:
            raise NotFound("no such plant", Reason.UNKNOWN_PLANT, {"plant": request.plant})
        if found.version == request.known_version:
            return data_service_pb2.GetCatalogResponse(unchanged=True)
        return data_service_pb2.GetCatalogResponse(catalog=found)

    def part(self, folder: Path) -> Part:
        async def nothing() -> None: ...

        async def ready() -> bool:
            return True

        def wire(_: ServiceSettings, __: Platform) -> Service:
            return Service(
                "data",
                "factoryai.data.v1.DataService",
                lambda server: data_service_pb2_grpc.add_DataServiceServicer_to_server(self, server),
                nothing,
                ready,
                nothing,
            )

        return Part(settings(ServiceSettings, folder), wire)


def new_plants() -> Plants:
    # The stubs call every method abstract; the router calls one.
    make: Any = Plants
    plants: Plants = make()
    return plants


@contextlib.asynccontextmanager
async def running(
    plants: Plants | None, folder: Path, wiring: Wiring = "in_process", **overrides: Any
) -> AsyncIterator[Running]:
    parts = [Part(settings(RouterSettings, folder, **overrides), build)]
    if plants is not None:
        parts.append(plants.part(folder))
    async with serve(*parts, wiring=wiring) as host:
        yield host


async def classify(host: Running, utterance: str, **fields: Any) -> intent_pb2.Classification:
    request = router_service_pb2.ClassifyRequest(utterance=utterance, **fields)
    if not request.HasField("as_of"):
        request.as_of.FromSeconds(AS_OF)
    stub: Any = router_service_pb2_grpc.RouterServiceStub(host.channel("router"))
    response: router_service_pb2.ClassifyResponse = await stub.Classify(request)
    return response.classification


def value(found: intent_pb2.Classification, name: str) -> list[str]:
    return [slot.value for slot in found.slots if slot.name == name]


@pytest.mark.parametrize("wiring", WIRINGS)
async def test_a_question_comes_back_as_its_meaning(tmp_path: Path, wiring: Wiring) -> None:
    async with running(new_plants(), tmp_path, wiring) as host:
        with calling():
            found = await classify(host, "3라인 어제 불량률 얼마야?")
    assert found.intent == intent_pb2.INTENT_CHECK
    assert found.route_target == intent_pb2.ROUTE_TARGET_DATA_LAYER
    assert found.source == intent_pb2.CLASSIFICATION_SOURCE_RULE
    assert found.language == "ko"
    target, period, metric = found.slots
    assert (target.name, target.value, target.text, target.start, target.end) == ("target", "line:L03", "3라인", 0, 3)
    assert target.target.display_name.en == "Line 3"
    assert period.window.label == "yesterday"
    assert period.window.end_time.seconds - period.window.start_time.seconds == 24 * 3600
    assert metric.value == "defect_rate"
    assert "production_status" in found.legacy_intents
    assert len(found.ranking) == 14
    assert found.cues


async def test_an_unknown_plant_is_told(tmp_path: Path) -> None:
    async with running(new_plants(), tmp_path) as host:
        with calling(), pytest.raises(NotFound) as refused:
            await classify(host, "오늘 생산량", plant="nowhere")
    assert refused.value.reason is Reason.UNKNOWN_PLANT


@pytest.mark.parametrize("utterance", ["", "가" * 501])
async def test_the_contract_limits_the_length(tmp_path: Path, utterance: str) -> None:
    async with running(new_plants(), tmp_path) as host:
        with calling(), pytest.raises(Invalid) as refused:
            await classify(host, utterance)
    assert refused.value.violations[0].field == "utterance"


async def test_a_ligature_that_unfolds_is_refused_and_not_cut(tmp_path: Path) -> None:
    async with running(new_plants(), tmp_path) as host:
        with calling(), pytest.raises(Invalid):
            await classify(host, "ﷺ" * 100)


async def test_without_the_data_service_the_products_own_words_still_work(tmp_path: Path) -> None:
    plants = new_plants()
    plants.away = True
    async with running(plants, tmp_path, catalogue_refresh_s=0.001) as host:
        with calling():
            found = await classify(host, "3라인 불량률")
            assert (value(found, "target"), value(found, "metric")) == (["line:L03"], ["defect_rate"])
            assert not found.HasField("ask_back")
            plants.away = False
            # Its names come with the catalogue, as soon as the data service is back.
            await until(lambda: _knows(host, "브래킷 생산량"))


async def _knows(host: Running, utterance: str) -> bool:
    return value(await classify(host, utterance), "target") == ["product:PRD001"]


async def test_a_new_alias_is_understood_within_seconds(tmp_path: Path) -> None:
    plants = new_plants()
    async with running(plants, tmp_path, catalogue_refresh_s=0.001) as host:
        with calling():
            assert value(await classify(host, "황금라인 불량률"), "target") == []
            changed = plant_pb2.Catalog()
            changed.CopyFrom(catalog("sample"))
            changed.version = "next"
            changed.targets[0].aliases.append("황금라인")
            plants.catalogs["plants/sample"] = changed

            async def known() -> bool:
                return bool(value(await classify(host, "황금라인 불량률"), "target"))

            await until(known)

            async def settled() -> bool:
                await classify(host, "황금라인 불량률")
                return plants.asked[-1].known_version == "next"

            await until(settled)


async def test_many_first_questions_fetch_the_catalogue_once(tmp_path: Path) -> None:
    plants = new_plants()
    async with running(plants, tmp_path) as host:
        with calling():
            await asyncio.gather(*(classify(host, "오늘 생산량") for _ in range(20)))
    assert len(plants.asked) == 1


async def test_tenants_do_not_share_catalogues(tmp_path: Path) -> None:
    plants = new_plants()
    async with running(plants, tmp_path) as host:
        for tenant in ("default", "other"):
            with calling(tenant):
                await classify(host, "오늘 생산량")
    assert plants.tenants == ["default", "other"]


async def test_the_plant_is_the_questions_or_the_settings(tmp_path: Path) -> None:
    plants = new_plants()
    async with running(plants, tmp_path, default_plant="steel") as host:
        with calling():
            await classify(host, "전력 사용량")
            await classify(host, "다운타임", plant="plants/bottling")
    assert [request.plant for request in plants.asked] == ["plants/steel", "plants/bottling"]


async def test_an_answer_completes_the_question_that_was_asked_back(tmp_path: Path) -> None:
    async with running(new_plants(), tmp_path) as host:
        with calling():
            asked = await classify(host, "제일 높은 라인은?")
            assert list(asked.ask_back.missing_slots) == ["metric"]
            context = intent_pb2.DialogueContext(pending=asked.ask_back, pending_slots=asked.slots)
            found = await classify(host, "불량률", context=context)
            assert found.intent == intent_pb2.INTENT_RANK
            assert (value(found, "metric"), value(found, "group_by")) == (["defect_rate"], ["line"])
            assert value(found, "order") == ["desc"]
            assert not found.HasField("ask_back")
            picked = await classify(host, "2번", context=context)
            assert value(picked, "metric") == [asked.ask_back.options[1].value]


async def test_questions_back_are_in_the_language_of_the_caller(tmp_path: Path) -> None:
    async with running(new_plants(), tmp_path) as host:
        with calling():
            assert (await classify(host, "9라인 불량률")).ask_back.question.startswith("‘9라인’")
            assert (await classify(host, "9라인 불량률", language="en")).ask_back.question.startswith("This plant")
            options = (await classify(host, "9라인 불량률")).ask_back.options
    assert [option.value for option in options] == ["line:L01", "line:L02", "line:L03"]


async def test_classifications_are_counted(tmp_path: Path) -> None:
    async with running(new_plants(), tmp_path) as host:
        with calling():
            await classify(host, "오늘 생산량")
            with contextlib.suppress(NotFound):
                await classify(host, "오늘 생산량", plant="nowhere")
        told = host.host.metrics.exposition().decode()
    assert 'intent_requests_total{intent="CHECK",method="rule"} 1.0' in told
    assert 'intent_errors_total{reason="ERROR_REASON_UNKNOWN_PLANT"} 1.0' in told
