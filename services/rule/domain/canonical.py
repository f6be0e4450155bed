"""One form for a rule set's content: what is digested and what is kept."""

import hashlib

import orjson
from pydantic import TypeAdapter

from services.rule.domain.model import RuleSetContent

_CONTENT = TypeAdapter(RuleSetContent)


def write(content: RuleSetContent) -> bytes:
    """Write the content as JSON with sorted keys and no spaces: equal content, equal bytes."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def read(text: bytes | str) -> RuleSetContent:
    """Read what `write` wrote."""
    return _CONTENT.validate_json(text)


def digest(content: RuleSetContent) -> str:
    """Return the SHA-256 of the canonical form, lower-case hex."""
    return hashlib.sha256(write(content)).hexdigest()
