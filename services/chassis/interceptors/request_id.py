"""Names the RPC, and reads what the caller says of itself: language, plant, trace."""

import re

from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.chassis.interceptors.rpc import Rpc

HEADER = "x-request-id"
LANGUAGE_HEADER = "accept-language"
LANGUAGES = ("ko", "en")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}").fullmatch
_MAX_LANGUAGE_HEADER = 128


class RequestId:
    """Takes the caller's request id when it is well formed, and gives a new one otherwise. Never refuses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def enter(self, rpc: Rpc) -> None:
        """Give the RPC its id and language, and tell the caller the id in a trailer."""
        given = rpc.headers.get(HEADER, "")
        rpc.request_id = given if _WELL_FORMED(given) else new_id(self._clock)
        rpc.language = language_of(rpc.headers.get(LANGUAGE_HEADER, ""))
        rpc.context.set_trailing_metadata(((HEADER, rpc.request_id),))

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:  # noqa: ARG002
        """Nothing is left to do."""
        return error


def language_of(header: str) -> str:
    """Choose "ko" or "en" from an Accept-Language header by its weights; "" when it names neither.

    >>> language_of("ko-KR,ko;q=0.9,en;q=0.8")
    'ko'
    """
    if header in LANGUAGES or not header:
        return header
    best, best_weight = "", 0.0
    for part in header[:_MAX_LANGUAGE_HEADER].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            weight = 0.0
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best
