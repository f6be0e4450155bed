"""Loads the synthetic sample plant through the data service, as any other caller would."""

import grpc
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc

from services.embedded.failure import StackError

_TIMEOUT_S = 120


def load_sample(port: int, token: str) -> str:
    """Load the plant, or extend it up to now; safe to repeat. Returns what was done, for people.

    `port` is the data service's own: the RPC is internal and does not pass the edge. Raises StackError.
    """
    metadata = (("authorization", f"Bearer {token}"),)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = data_service_pb2_grpc.DataServiceStub(channel)
        try:
            answer = stub.LoadSamplePlant(
                data_service_pb2.LoadSamplePlantRequest(), timeout=_TIMEOUT_S, metadata=metadata
            )
        except grpc.RpcError as refused:
            code, details = refused.code(), refused.details()
            raise StackError(f"The sample plant could not be loaded: {code.name}, {details}") from None
    rows = answer.inserted_count
    return f"{rows:,} rows added, synthetic" if rows else "already there, synthetic"
