"""Tokens: which ones verify, and what happens when the keys change."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services import errors
from services.chassis.auth import Authenticator, ServiceTokens, TokenSigner, new_private_key
from services.chassis.clock import FixedClock
from services.errors import Reason

PEM = new_private_key()
SIGNER = TokenSigner(PEM, issuer="factoryai", audience="factoryai")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_bytes(SIGNER.jwks())
    return file


def authenticator(jwks: Path | None, clock: FixedClock, *, required: bool = True) -> Authenticator:
    return Authenticator(jwks, issuer="factoryai", audience="factoryai", required=required, clock=clock)


def test_a_good_token_says_who(jwks: Path, clock: FixedClock) -> None:
    token = SIGNER.sign("kim", tenant="acme", roles=("operator", "lead"), plant="busan")
    verifier = authenticator(jwks, clock)
    for _ in range(2):  # the second is kept
        identity = verifier.authenticate(f"Bearer {token}")
        assert identity is not None
        assert (identity.tenant, identity.plant, identity.principal.subject) == ("acme", "busan", "kim")
        assert identity.principal.roles == {"operator", "lead"}


def test_ed25519_verifies_too(tmp_path: Path, clock: FixedClock) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signer = TokenSigner(pem, issuer="factoryai", audience="factoryai")
    file = tmp_path / "jwks.json"
    file.write_bytes(signer.jwks())
    assert authenticator(file, clock).authenticate(f"bearer {signer.sign('kim', tenant='acme')}") is not None


def forged(**changes: Any) -> str:
    claims = {
        "iss": "factoryai",
        "aud": "factoryai",
        "sub": "kim",
        "tenant_id": "acme",
        "exp": time.time() + 60,
    } | changes
    claims = {key: value for key, value in claims.items() if value is not None}
    return jwt.encode(claims, PEM.decode(), algorithm="ES256")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(forged(exp=None), id="no exp"),
        pytest.param(forged(iss="somebody"), id="issuer"),
        pytest.param(forged(aud="somebody"), id="audience"),
        pytest.param(forged(sub=None), id="no subject"),
        pytest.param(forged(tenant_id=None), id="no tenant"),
        pytest.param(forged(tenant_id=7), id="tenant type"),
        pytest.param(forged(roles="admin"), id="roles type"),
        pytest.param(forged(nbf=time.time() + 600), id="not yet"),
        pytest.param(forged()[:-4] + "AAAA", id="signature"),
        pytest.param(jwt.encode({"sub": "kim"}, "", algorithm="none"), id="alg none"),
        pytest.param(jwt.encode({"sub": "kim"}, "x" * 32, algorithm="HS256"), id="alg HS256"),
        pytest.param("", id="empty"),
        pytest.param("x" * 9000, id="huge"),
        pytest.param("한글", id="no ascii"),
    ],
)
def test_bad_tokens_are_refused(jwks: Path, clock: FixedClock, token: str) -> None:
    with pytest.raises(errors.Unauthenticated):
        authenticator(jwks, clock).authenticate(f"Bearer {token}")


def test_a_good_one_beside_the_bad_ones_verifies(jwks: Path, clock: FixedClock) -> None:
    assert authenticator(jwks, clock).authenticate(f"Bearer {forged()}") is not None


def test_an_expired_token_says_so(jwks: Path, clock: FixedClock) -> None:
    with pytest.raises(errors.Unauthenticated) as expired:
        authenticator(jwks, clock).authenticate(f"Bearer {forged(exp=time.time() - 60)}")
    assert expired.value.reason is Reason.TOKEN_EXPIRED


def test_new_keys_are_taken_and_old_tokens_dropped_without_restart(jwks: Path, clock: FixedClock) -> None:
    verifier = authenticator(jwks, clock)
    old = f"Bearer {SIGNER.sign('kim', tenant='acme')}"
    assert verifier.authenticate(old)
    rotated = TokenSigner(new_private_key(), issuer="factoryai", audience="factoryai")
    jwks.write_bytes(b"{ half a fi")
    clock.advance(2)
    assert verifier.authenticate(old), "a half-written file locks nobody out"
    jwks.write_bytes(rotated.jwks())
    clock.advance(2)
    assert verifier.authenticate(f"Bearer {rotated.sign('kim', tenant='acme')}")
    with pytest.raises(errors.Unauthenticated):
        verifier.authenticate(old)


def test_without_keys_nobody_can_be_verified(tmp_path: Path, clock: FixedClock) -> None:
    with pytest.raises(errors.Unavailable):
        authenticator(tmp_path / "missing.json", clock).authenticate(f"Bearer {forged()}")


def test_only_where_none_is_required_may_a_token_be_missing(jwks: Path, clock: FixedClock) -> None:
    with pytest.raises(errors.Unauthenticated):
        authenticator(jwks, clock).authenticate("")
    relaxed = authenticator(jwks, clock, required=False)
    assert relaxed.authenticate("") is None
    with pytest.raises(errors.Unauthenticated):
        relaxed.authenticate("Bearer nonsense")
    with pytest.raises(errors.Unauthenticated):
        authenticator(None, clock).authenticate("")


def test_a_service_speaks_for_itself(tmp_path: Path, jwks: Path, clock: FixedClock) -> None:
    key = tmp_path / "service.pem"
    key.write_bytes(PEM)
    tokens = ServiceTokens(key, "workflow", issuer="factoryai", audience="factoryai", clock=clock)
    identity = authenticator(jwks, clock).authenticate(tokens.header("acme"))
    assert identity is not None
    assert (identity.principal.subject, identity.tenant) == ("service:workflow", "acme")
    assert tokens.header("acme") == tokens.header("acme")
    assert not ServiceTokens(None, "workflow", issuer="", audience="", clock=clock).header("acme")
