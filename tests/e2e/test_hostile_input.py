"""Whatever comes in, what goes out is an answer or a typed error, and the process stays as it was.

FUZZ_INPUTS and FUZZ_SEED set size and seed; `make fuzz` is the full size.
"""

import os
import time

import grpc
import psutil
import pytest

from tests.support.engine import Engine
from tests.support.fuzz import inputs, rpcs
from tests.support.server import bearer

INPUTS = int(os.environ.get("FUZZ_INPUTS", "3000"))
SEED = int(os.environ.get("FUZZ_SEED", "20261122"))
ALLOWED = {
    "OK",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "FAILED_PRECONDITION",
    "ALREADY_EXISTS",
    "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
    "ABORTED",
    "UNIMPLEMENTED",
    "DEADLINE_EXCEEDED",
}
GROWTH_BYTES = 50 * 1024 * 1024


@pytest.mark.timeout(3600)
async def test_hostile_requests_get_typed_errors(engine: Engine) -> None:
    metadata = (("authorization", bearer()),)
    channels = {rpc.service: grpc.aio.insecure_channel(engine.running.address(rpc.service)) for rpc in rpcs()}
    codes: dict[str, int] = {}
    before = psutil.Process().memory_info().rss
    slowest = 0.0
    for number, (rpc, content) in enumerate(inputs(INPUTS, SEED)):
        began = time.monotonic()
        code = await _call(channels[rpc.service], rpc.path, content, metadata, streams=rpc.method.server_streaming)
        slowest = max(slowest, time.monotonic() - began)
        codes[code] = codes.get(code, 0) + 1
        assert code in ALLOWED, f"{rpc.path} answered {code} to input {number} of seed {SEED}: {content!r}"
    for channel in channels.values():
        await channel.close()
    print(f"{INPUTS} inputs, seed {SEED}: {codes}, slowest {slowest:.2f} s")  # noqa: T201 - figures for `make fuzz`
    assert codes["OK"] > INPUTS / 100, "hardly anything got in: the fuzzer proves nothing"
    assert codes["INVALID_ARGUMENT"] > INPUTS / 10
    assert psutil.Process().memory_info().rss - before < GROWTH_BYTES


async def _call(
    channel: grpc.aio.Channel, path: str, content: bytes, metadata: tuple[tuple[str, str], ...], *, streams: bool
) -> str:
    try:
        if streams:
            stream: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
            async for _ in stream(content, metadata=metadata, timeout=40):
                pass
        else:
            unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            await unary(content, metadata=metadata, timeout=40)
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"
