"""The entry point of a service: `python -m services.router [--check-config]`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from services.chassis import log as logging
from services.chassis.host import Part, serve_all
from services.chassis.server import Platform, Service
from services.chassis.settings import ServiceSettings, SettingsError, load

S = TypeVar("S", bound=ServiceSettings)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_SETTINGS = 2

log = structlog.get_logger(__name__)


def run(settings_cls: type[S], build: Callable[[S, Platform], Service], argv: Sequence[str] | None = None) -> int:
    """Run one service until SIGTERM or SIGINT; returns the exit code.

    `argv` are the arguments without the program's name. `--check-config` reads the settings, says what is wrong with
    them and touches no network.
    """
    name = build.__module__.split(".")[-2]  # services.router.wiring
    parser = argparse.ArgumentParser(prog=f"python -m services.{name}", description=f"Run the {name} service.")
    parser.add_argument("--check-config", action="store_true", help="validate the settings and exit")
    arguments = parser.parse_args(sys.argv[1:] if argv is None else argv)
    try:
        settings = load(settings_cls)
    except SettingsError as refused:
        sys.stderr.write(f"{refused}\n")
        return EXIT_SETTINGS
    if arguments.check_config:
        sys.stdout.write(f"{name}: the settings are valid\n")
        return EXIT_OK
    logging.configure(settings.log_level, process=name)
    if settings.auth_required and settings.jwks_file is None:
        log.warning("no JWKS_FILE is set, so every token is refused; AUTH_REQUIRED=false answers without tokens")
    return asyncio.run(run_parts([Part(settings, build)], process=name))


async def run_parts(parts: Sequence[Part], *, process: str) -> int:
    """Run services until a signal says stop; a second signal stops at once. Returns the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def on_signal() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        await serve_all(parts, stop, process=process)
    except (OSError, RuntimeError) as failure:
        log.error("cannot start", error=str(failure))  # noqa: TRY400 - a taken port is no bug, so no trace
        return EXIT_FAILED
    except asyncio.CancelledError:
        log.warning("stopped at once")
        return EXIT_FAILED
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return EXIT_OK
