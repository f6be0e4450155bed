"""The embedded stack as the other commands see it: where it listens, and a token to go in."""

from pathlib import Path

from services.cli.exit_codes import ExitCode
from services.cli.failure import CliError
from services.embedded import api

_TOKEN_TTL_S = 900


def address(home: Path, token: str | None) -> tuple[str, Path, str]:
    """Return URL, CA file and token for the stack of a home; a token is minted unless one was given.

    Raises CliError (UNAVAILABLE) when it does not run.
    """
    now = api.status(home)
    if not now.url or now.state not in {"ready", "degraded"}:
        raise CliError("stack.not_running", ExitCode.UNAVAILABLE, {"home": home})
    return now.url, Path(now.ca_file), token or api.dev_token(home, ttl_s=_TOKEN_TTL_S)
