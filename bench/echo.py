"""A bare grpc.aio echo: what a hop costs before anybody does any work. `python bench/echo.py PORT`."""

import asyncio
import sys

import grpc


async def main(port: int) -> None:
    """Serve `/bench.Echo/Echo` on loopback until killed: bytes in, the same bytes out."""

    async def echo(request: bytes, _context: object) -> bytes:
        return request

    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler("bench.Echo", {"Echo": grpc.unary_unary_rpc_method_handler(echo)})
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
