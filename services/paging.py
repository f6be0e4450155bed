"""Page tokens of every list: opaque to the caller, and only good for the list and filter that gave them out. Pure."""

import base64
import binascii
import hashlib
from typing import Final

from services.errors import FieldViolation, Invalid, Reason

DEFAULT_PAGE_SIZE: Final = 100

_VERSION = "1"
_CHECK = 8


def encode_token(query: str, last: str) -> str:
    """Return the token of the page after the one that ends with `last`; empty for an empty `last`.

    `query` names the list and everything that filters it.
    """
    if not last:
        return ""
    return base64.urlsafe_b64encode(f"{_check(query, last)}{last}".encode()).decode().rstrip("=")


def decode_token(query: str, token: str) -> str:
    """Return the `last` of `encode_token`; empty for an empty token. Raises Invalid (INVALID_PAGE_TOKEN)."""
    if not token:
        return ""
    try:
        padded = token + "=" * (-len(token) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    check, last = text[:_CHECK], text[_CHECK:]
    # Against mishaps, not against malice: a token opens nothing that its bearer may not see anyway. What no id holds
    # (PostgreSQL keeps no zero bytes) is refused all the same.
    if not last.isprintable() or not last or check != _check(query, last):
        raise _not_ours()
    return last


def _check(query: str, last: str) -> str:
    return hashlib.sha256(f"{_VERSION}\n{query}\n{last}".encode()).hexdigest()[:_CHECK]


def _not_ours() -> Invalid:
    return Invalid(
        "the page token is not one of ours, or belongs to another query",
        Reason.INVALID_PAGE_TOKEN,
        violations=(FieldViolation("page_token", "is not one that this list gave for this query"),),
    )
