"""Page tokens: opaque to the caller, and only good for the list that gave them out."""

import base64
import binascii
import hashlib

from services.errors import Invalid, Reason

_VERSION = "1"
_CHECK = 8


def encode(collection: str, last: str) -> str:
    """Return the token of the page after the one that ends with `last`."""
    return base64.urlsafe_b64encode(f"{_check(collection, last)}{last}".encode()).decode().rstrip("=")


def decode(collection: str, token: str) -> str:
    """Return what `encode` was given; empty for an empty token. Raises Invalid (INVALID_PAGE_TOKEN)."""
    if not token:
        return ""
    try:
        padded = token + "=" * (-len(token) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    check, last = text[:_CHECK], text[_CHECK:]
    # Against mishaps, not against malice: a token opens nothing that its bearer may not see anyway.
    if not last or check != _check(collection, last):
        raise _not_ours()
    return last


def _check(collection: str, last: str) -> str:
    return hashlib.sha256(f"{_VERSION}\n{collection}\n{last}".encode()).hexdigest()[:_CHECK]


def _not_ours() -> Invalid:
    return Invalid("the page token is not one of this list's", Reason.INVALID_PAGE_TOKEN)
