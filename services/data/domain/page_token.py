"""Page tokens: opaque to the caller, and only good for the list that gave them out."""

import base64
import binascii

from services.errors import Invalid, Reason

_VERSION = "1"


def encode(collection: str, last: str) -> str:
    """Return the token of the page after the one that ends with `last`."""
    return base64.urlsafe_b64encode(f"{_VERSION}\n{collection}\n{last}".encode()).decode().rstrip("=")


def decode(collection: str, token: str) -> str:
    """Return what `encode` was given; empty for an empty token. Raises Invalid (INVALID_PAGE_TOKEN)."""
    if not token:
        return ""
    try:
        padded = token + "=" * (-len(token) % 4)
        version, of, last = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\n")
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    if (version, of) != (_VERSION, collection) or not last or "\0" in last:
        raise _not_ours()
    return last


def _not_ours() -> Invalid:
    return Invalid("the page token is not one of this list's", Reason.INVALID_PAGE_TOKEN)
