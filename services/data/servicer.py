"""The data service's methods: decode, await the domain, encode."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from factoryai.data.v1 import data_service_pb2 as pb
from factoryai.data.v1 import data_service_pb2_grpc

from services.chassis.call import current_call
from services.chassis.idempotency import Idempotency
from services.data import codec
from services.data.domain.intake import Intake
from services.data.domain.reader import Reader
from services.data.domain.sampler import Sampler
from services.paging import encode_token


class DataServicer(data_service_pb2_grpc.DataServiceServicer):
    """`factoryai.data.v1.DataService`."""

    def __init__(
        self,
        *,
        reader: Reader,
        intake: Intake,
        sampler: Sampler,
        idempotency: Idempotency,
        now: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._intake = intake
        self._sampler = sampler
        self._idempotency = idempotency
        self._now = now

    async def ListPlants(self, request: pb.ListPlantsRequest, _: Any) -> pb.ListPlantsResponse:  # noqa: N802
        """List the tenant's plants."""
        limit, after = codec.decode_page(codec.PLANTS, request.page_size, request.page_token)
        found, last = await self._reader.plants(current_call().tenant, after, limit)
        return pb.ListPlantsResponse(
            plants=[codec.encode_plant(each) for each in found],
            next_page_token=encode_token(codec.PLANTS, last),
        )

    async def GetPlant(self, request: pb.GetPlantRequest, _: Any) -> pb.GetPlantResponse:  # noqa: N802
        """Read a plant."""
        found = await self._reader.plant(current_call().tenant, codec.decode_plant_name(request.name))
        return pb.GetPlantResponse(plant=codec.encode_plant(found))

    async def GetCatalog(self, request: pb.GetCatalogRequest, _: Any) -> pb.GetCatalogResponse:  # noqa: N802
        """Read everything that can be asked of a plant."""
        found = await self._reader.catalogue(current_call().tenant, codec.decode_plant_name(request.plant))
        return codec.encode_catalogue(found, request.known_version)

    async def Query(self, request: pb.QueryRequest, _: Any) -> pb.QueryResponse:  # noqa: N802
        """Compute metrics."""
        plant, asked, as_of = codec.decode_query(request, self._now())
        found = await self._reader.query(current_call().tenant, plant, asked, as_of)
        return pb.QueryResponse(result=codec.encode_answer(found))

    async def CreateImport(self, request: pb.CreateImportRequest, _: Any) -> pb.CreateImportResponse:  # noqa: N802
        """Begin an import."""
        tenant = current_call().tenant

        async def work() -> pb.CreateImportResponse:
            mapping, files = codec.decode_import(request.data_import)
            created = await self._intake.create(tenant, mapping, files)
            return pb.CreateImportResponse(data_import=codec.encode_import(created), created=True)

        response, mine = await self._idempotency.once(
            tenant, request.request_id, "CreateImport", request, work, pb.CreateImportResponse
        )
        response.created = mine
        return response

    async def UploadImportChunk(self, request: pb.UploadImportChunkRequest, _: Any) -> pb.UploadImportChunkResponse:  # noqa: N802
        """Keep a piece of a file."""
        import_id = codec.decode_import_name(request.name)
        received = await self._intake.upload(
            current_call().tenant, import_id, request.file, request.offset, request.content
        )
        return pb.UploadImportChunkResponse(received_size=received)

    async def CommitImport(self, request: pb.CommitImportRequest, _: Any) -> pb.CommitImportResponse:  # noqa: N802
        """Take all good rows."""
        found, mine = await self._intake.commit(current_call().tenant, codec.decode_import_name(request.name))
        return pb.CommitImportResponse(data_import=codec.encode_import(found), committed=mine)

    async def GetImport(self, request: pb.GetImportRequest, _: Any) -> pb.GetImportResponse:  # noqa: N802
        """Read an import with its report."""
        found = await self._intake.get(current_call().tenant, codec.decode_import_name(request.name))
        return pb.GetImportResponse(data_import=codec.encode_import(found))

    async def ListImports(self, request: pb.ListImportsRequest, _: Any) -> pb.ListImportsResponse:  # noqa: N802
        """List imports, newest first."""
        limit, before = codec.decode_page(codec.IMPORTS, request.page_size, request.page_token)
        found, last = await self._intake.imports(current_call().tenant, before, limit)
        return pb.ListImportsResponse(
            data_imports=[codec.encode_import(each) for each in found],
            next_page_token=encode_token(codec.IMPORTS, last),
        )

    async def LoadSamplePlant(self, request: pb.LoadSamplePlantRequest, _: Any) -> pb.LoadSamplePlantResponse:  # noqa: N802
        """Load the sample plant, or extend it."""
        end = codec.decode_time(request.end_time) if request.HasField("end_time") else self._now()
        plant, inserted = await self._sampler.load(current_call().tenant, end, request.seed)
        return pb.LoadSamplePlantResponse(plant=codec.encode_plant(plant), inserted_count=inserted)
