"""Tokens: JWT signed with ES256 or EdDSA, verified against the public keys of a local JWKS file."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from services import errors
from services.chassis.call import Principal
from services.chassis.clock import Clock
from services.errors import Reason

log = structlog.get_logger(__name__)

ALGORITHMS = ("ES256", "EdDSA")
LEEWAY_S = 30  # the same as the edge's clock skew
MAX_TOKEN_CHARS = 8192
CACHE_ENTRIES = 1024
CACHE_TTL_S = 60.0
RELOAD_EVERY_S = 1.0
SERVICE_TOKEN_TTL_S = 300.0
ANONYMOUS = Principal("anonymous", frozenset())
DEFAULT_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token says. `expires` is in seconds of Unix time."""

    principal: Principal
    tenant: str
    plant: str
    expires: float


class Authenticator:
    """Verifies bearer tokens. The key file is read again when it changes; verified tokens are kept for a minute."""

    def __init__(self, jwks_file: Path | None, *, issuer: str, audience: str, required: bool, clock: Clock) -> None:
        self._file = jwks_file
        self._issuer = issuer
        self._audience = audience
        self._required = required
        self._clock = clock
        self._keys: tuple[jwt.PyJWK, ...] = ()
        self._stamp: tuple[int, int] | None = None
        self._looked_at = float("-inf")
        self._verified: OrderedDict[str, tuple[float, Identity]] = OrderedDict()

    def authenticate(self, authorization: str) -> Identity | None:
        """Verify an `Authorization` header.

        Returns None for a caller without a token where none is required (development only). Raises Unauthenticated,
        or Unavailable when there are no keys to verify with.
        """
        if not authorization:
            if self._required:
                raise errors.Unauthenticated("a bearer token is required")
            return None
        if self._file is None and not self._required:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARS:
            raise errors.Unauthenticated("the authorization header is no bearer token")
        now = self._clock.monotonic()
        self._reload(now)
        kept = self._verified.get(token)
        if kept is not None and kept[0] > now and kept[1].expires + LEEWAY_S > time.time():
            return kept[1]
        identity = self._verify(token)
        self._verified[token] = (now + CACHE_TTL_S, identity)
        if len(self._verified) > CACHE_ENTRIES:
            self._verified.popitem(last=False)
        return identity

    def _verify(self, token: str) -> Identity:
        failure: jwt.PyJWTError | None = None
        for key in self._candidates(token):
            try:
                claims = jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm_name],
                    issuer=self._issuer,
                    audience=self._audience,
                    leeway=LEEWAY_S,
                    options={"require": ["exp", "iss", "aud", "sub"]},
                )
            except jwt.ExpiredSignatureError:
                raise errors.Unauthenticated("the token has expired", reason=Reason.TOKEN_EXPIRED) from None
            except jwt.PyJWTError as refused:
                failure = refused
            else:
                return _identity(claims)
        log.info("token refused", error=type(failure).__name__ if failure else "no such key")
        raise errors.Unauthenticated("the token does not verify")

    def _candidates(self, token: str) -> tuple[jwt.PyJWK, ...]:
        if not self._keys:
            raise errors.Unavailable("there are no keys to verify tokens with", metadata={"dependency": "jwks"})
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise errors.Unauthenticated("the token does not verify") from None
        kid = header.get("kid")
        return self._keys if kid is None else tuple(key for key in self._keys if key.key_id == kid)

    def _reload(self, now: float) -> None:
        if self._file is None or now - self._looked_at < RELOAD_EVERY_S:
            return
        self._looked_at = now
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._stamp:
                return
            keys = _public_keys(self._file.read_bytes())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as broken:
            # A half-written file must not lock everybody out: the last good keys stay.
            log.warning("key file not readable", file=str(self._file), error=str(broken))
            return
        self._keys, self._stamp = keys, stamp
        self._verified.clear()
        log.info("keys loaded", file=str(self._file), keys=len(keys))


def _public_keys(text: bytes) -> tuple[jwt.PyJWK, ...]:
    keys = tuple(jwt.PyJWK(entry) for entry in orjson.loads(text)["keys"])
    return tuple(key for key in keys if key.algorithm_name in ALGORITHMS)


def _identity(claims: dict[str, Any]) -> Identity:
    roles = claims.get("roles", [])
    tenant, plant = claims.get("tenant_id"), claims.get("plant", "")
    well_formed = (
        isinstance(tenant, str)
        and bool(tenant)
        and isinstance(plant, str)
        and isinstance(roles, list)
        and all(isinstance(role, str) for role in roles)
    )
    if not well_formed:
        raise errors.Unauthenticated("the token names no tenant, or its claims have the wrong types")
    return Identity(Principal(str(claims["sub"]), frozenset(roles)), str(tenant), plant, float(claims["exp"]))


class TokenSigner:
    """Signs tokens with a private key: for `factoryai dev-token`, for background work, and in tests."""

    def __init__(self, private_key_pem: bytes, *, issuer: str, audience: str) -> None:
        key = load_pem_private_key(private_key_pem, password=None)
        if isinstance(key, EllipticCurvePrivateKey):
            self._algorithm = "ES256"
        elif isinstance(key, Ed25519PrivateKey):
            self._algorithm = "EdDSA"
        else:
            raise TypeError(f"a token key is P-256 or Ed25519, not {type(key).__name__}")
        self._key = key
        self._issuer = issuer
        self._audience = audience

    def sign(
        self, subject: str, *, tenant: str, roles: tuple[str, ...] = (), plant: str = "", ttl_s: float = 900
    ) -> str:
        """Return a token for `subject` that is good for `ttl_s` seconds from now."""
        now = time.time()
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "tenant_id": tenant,
            "roles": list(roles),
            "iat": int(now),
            "exp": int(now + ttl_s),
        }
        if plant:
            claims["plant"] = plant
        return jwt.encode(claims, self._key, algorithm=self._algorithm, headers={"kid": _key_id(self._key)})

    def jwks(self) -> bytes:
        """Return the public half as a JWKS document."""
        algorithm = jwt.get_algorithm_by_name(self._algorithm)
        entry = algorithm.to_jwk(self._key.public_key(), as_dict=True)
        entry |= {"kid": _key_id(self._key), "alg": self._algorithm, "use": "sig"}
        return orjson.dumps({"keys": [entry]}, option=orjson.OPT_INDENT_2)


def new_private_key() -> bytes:
    """Return a fresh P-256 private key as PEM."""
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key_id(key: EllipticCurvePrivateKey | Ed25519PrivateKey) -> str:
    """Return a short name of the public key, the same wherever the key is."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(spki).hexdigest()[:16]


class ServiceTokens:
    """Bearer headers for work that no caller started, such as a trigger's run: the service speaks for itself."""

    def __init__(self, key_file: Path | None, service: str, *, issuer: str, audience: str, clock: Clock) -> None:
        self._signer = TokenSigner(key_file.read_bytes(), issuer=issuer, audience=audience) if key_file else None
        self._service = service
        self._clock = clock
        self._signed: dict[str, tuple[float, str]] = {}

    def header(self, tenant: str) -> str:
        """Return an `Authorization` header for the tenant, or "" when the service has no key."""
        if self._signer is None:
            return ""
        now = self._clock.monotonic()
        kept = self._signed.get(tenant)
        if kept is None or kept[0] < now:
            token = self._signer.sign(
                f"service:{self._service}", tenant=tenant, roles=("service",), ttl_s=SERVICE_TOKEN_TTL_S
            )
            kept = (now + SERVICE_TOKEN_TTL_S / 2, f"Bearer {token}")
            self._signed[tenant] = kept
        return kept[1]
