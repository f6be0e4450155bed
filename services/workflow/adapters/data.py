"""The data layer over its stub."""

from datetime import datetime

import grpc
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc

from services.workflow.codec.moments import stamp
from services.workflow.codec.outputs import decode_data
from services.workflow.domain.figures import Query
from services.workflow.domain.outputs import DataOutput


class DataLayer:
    """A DataReader. The channel raises `services.errors` and carries who asks."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = data_service_pb2_grpc.DataServiceStub(channel)

    async def query(self, plant: str, query: Query, as_of: datetime) -> DataOutput:
        """Answer a question as seen from `as_of`."""
        request = data_service_pb2.QueryRequest(plant=plant)
        request.query.ParseFromString(query.wire)
        stamp(request.as_of, as_of)
        response = await self._stub.Query(request)
        return decode_data(response.result)
