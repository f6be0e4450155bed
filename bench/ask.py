"""What a question costs: `make bench-ask`, or `python bench/ask.py [--rounds N]`.

Starts the embedded stack in a folder of its own, asks one question after the other (low load: one caller), and prints
p50 and p95 in milliseconds and CPU milliseconds a request: in process, over gRPC and through Envoy, beside a bare
grpc.aio echo measured in the same run. CPU is that of the processes between caller and database: services and Envoy,
over the wire; caller and services together, in process.
"""

import argparse
import asyncio
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import psutil
from factoryai.orchestrator.v1 import orchestrator_service_pb2, orchestrator_service_pb2_grpc
from factoryai.router.v1 import router_service_pb2, router_service_pb2_grpc
from pydantic import SecretStr

from services.chassis import log
from services.chassis.call import Call, Principal, call_scope
from services.chassis.host import Host, Part
from services.embedded import api
from services.embedded.home import at
from services.embedded.host import WIRED
from services.embedded.identity import choose
from services.embedded.postgres import binaries
from services.embedded.stack import local_postgres, local_valkey

UTTERANCE = "3라인 오늘 불량률 얼마야?"
Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Row:
    """One line of the table, times in milliseconds."""

    name: str
    p50: float
    p95: float
    cpu: float


async def measure(name: str, work: Work, rounds: int, processes: Sequence[psutil.Process]) -> Row:
    """Do the work `rounds` times in a row, after a warm-up of a tenth."""
    for _ in range(max(10, rounds // 10)):
        await work()
    before = cpu(processes)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        times.append((time.perf_counter() - began) * 1000)
    spent = (cpu(processes) - before) * 1000 / rounds
    return Row(name, statistics.median(times), statistics.quantiles(times, n=20)[18], spent)


def cpu(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds that the processes have spent so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


async def echo(rounds: int) -> Row:
    """The bare hop."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, str(Path(__file__).parent / "echo.py"), str(port)])  # noqa: S603
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 10)
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/bench.Echo/Echo")
            return await measure("echo, grpc.aio", lambda: call(b"x" * 100), rounds, [psutil.Process(server.pid)])
    finally:
        server.terminate()
        server.wait()


async def in_process(home: Path, rounds: int) -> list[Row]:
    """The stubs of the services, co-located with the caller."""
    place = at(home)
    database = local_postgres(place, choose(binaries() / "postgres", place.postgres, within=place.root)).url()
    own: dict[str, Any] = {
        "database_url": SecretStr(database),
        "redis_url": SecretStr(local_valkey(place).url()),
        "jwks_file": place.keys.jwks,
        "port": 0,
        "health_port": 0,
        "metrics_port": 0,
        "log_level": "ERROR",
        "drain_notice_s": 0,
    }
    host = Host([Part(wired.settings(**own), wired.build) for wired in WIRED.values()])
    await host.start()
    try:
        async with asyncio.timeout(30):
            while not all([await server.service.ready() for server in host.servers]):
                await asyncio.sleep(0.05)
        channels = host.platform().channels
        token = f"Bearer {api.dev_token(home)}"
        with call_scope(Call("default", "", Principal("bench", frozenset()), "", "", None, token)):
            router = router_service_pb2_grpc.RouterServiceStub(channels.channel("router"))
            front = orchestrator_service_pb2_grpc.OrchestratorServiceStub(channels.channel("orchestrator"))
            classify = router_service_pb2.ClassifyRequest(utterance=UTTERANCE, plant="sample")
            ask = orchestrator_service_pb2.AskRequest(question=UTTERANCE, plant="sample")
            us = [psutil.Process()]
            return [
                await measure("classify, in process", lambda: router.Classify(classify), rounds, us),
                await measure("ask CHECK, in process", lambda: front.Ask(ask), rounds, us),
            ]
    finally:
        await host.drain()


async def over_grpc(token: str, ports: dict[str, int], services: psutil.Process, rounds: int) -> list[Row]:
    """Sockets, without Envoy."""
    metadata = (("authorization", f"Bearer {token}"),)
    async with (
        grpc.aio.insecure_channel(f"127.0.0.1:{ports['router']}") as to_router,
        grpc.aio.insecure_channel(f"127.0.0.1:{ports['orchestrator']}") as to_front,
    ):
        router = router_service_pb2_grpc.RouterServiceStub(to_router)
        front = orchestrator_service_pb2_grpc.OrchestratorServiceStub(to_front)
        classify = router_service_pb2.ClassifyRequest(utterance=UTTERANCE, plant="sample")
        ask = orchestrator_service_pb2.AskRequest(question=UTTERANCE, plant="sample")
        return [
            await measure("classify, gRPC", lambda: router.Classify(classify, metadata=metadata), rounds, [services]),
            await measure("ask CHECK, gRPC", lambda: front.Ask(ask, metadata=metadata), rounds, [services]),
        ]


async def through_envoy(
    token: str, status: api.StackStatus, services: psutil.Process, envoy: psutil.Process, rounds: int
) -> list[Row]:
    """HTTPS and JSON, as a chat front end would."""
    trust = ssl.create_default_context(cafile=status.ca_file)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=status.url, verify=trust, headers=headers, timeout=30) as client:

        async def classify() -> None:
            answer = await client.post("/v1/intents:classify", json={"utterance": UTTERANCE, "plant": "sample"})
            answer.raise_for_status()

        async def ask() -> None:
            answer = await client.post("/v1/ask", json={"question": UTTERANCE, "plant": "sample"})
            answer.raise_for_status()

        both = [services, envoy]
        return [
            await measure("classify, REST through Envoy", classify, rounds, both),
            await measure("ask CHECK, REST through Envoy", ask, rounds, both),
        ]


async def run(home: Path, status: api.StackStatus, rounds: int) -> list[Row]:
    """All rows, the echo first."""
    token = api.dev_token(home)
    parts = status.parts
    services, envoy = psutil.Process(parts["services"].pid), psutil.Process(parts["envoy"].pid)
    ports = {name: member.port for name, member in parts["services"].members.items()}
    return [
        await echo(rounds),
        *await in_process(home, rounds),
        *await over_grpc(token, ports, services, rounds),
        *await through_envoy(token, status, services, envoy, rounds),
    ]


def main() -> None:
    """Print the table."""
    log.configure("ERROR", process="bench")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400, help="requests a row (default 400)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="factoryai-bench-") as folder:
        home = Path(folder)
        status = api.up(home, detach=True, on_progress=lambda _: None)
        try:
            rows = asyncio.run(run(home, status, rounds))
        finally:
            api.down(home)
    print(f"{'':32}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}{'p50 / echo':>12}")
    for row in rows:
        print(f"{row.name:32}{row.p50:9.2f}{row.p95:9.2f}{row.cpu:9.2f}{row.p50 / rows[0].p50:12.1f}")


if __name__ == "__main__":
    main()
