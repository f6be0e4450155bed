"""Page tokens: where the last page ended, bound to the query that it belongs to."""

import base64
import binascii
import json
from uuid import UUID

from services.errors import Invalid, Reason
from services.workflow.domain.runs import Page
from services.workflow.domain.states import RunState

DEFAULT_SIZE = 100


def page_of(size: int, token: str, state: RunState | None) -> Page:
    """Read a request's paging. Raises Invalid (INVALID_PAGE_TOKEN) where the token is foreign or of another query."""
    if not token:
        return Page(size or DEFAULT_SIZE)
    try:
        before, bound = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _foreign() from None
    if not isinstance(before, str) or not is_id(before) or bound != _bound(state):
        raise _foreign()
    return Page(size or DEFAULT_SIZE, before)


def token_of(last_id: str, state: RunState | None) -> str:
    """Return the token of the page after the run with `last_id`."""
    return base64.urlsafe_b64encode(json.dumps([last_id, _bound(state)]).encode()).decode("ascii")


def is_id(text: str) -> bool:
    """Say whether a text can be the id of a run at all: stores are asked for nothing else."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _bound(state: RunState | None) -> str:
    return state.value if state else ""


def _foreign() -> Invalid:
    return Invalid("the page token is not one of ours, or belongs to another query", Reason.INVALID_PAGE_TOKEN)
