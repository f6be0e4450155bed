"""Certificates, keys, ports and the layout of a home."""

import datetime as dt
import os
import socket
import stat
from pathlib import Path

import pytest
from cryptography import x509

from services.chassis.auth import Authenticator
from services.chassis.clock import SystemClock
from services.embedded import certificates, home, keys, ports
from services.embedded.certificates import Certificates
from services.embedded.failure import StackError
from services.embedded.keys import Keys

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def test_a_certificate_names_loopback_and_is_kept_until_it_nears_its_end(tmp_path: Path) -> None:
    files = Certificates.within(tmp_path)
    assert certificates.ensure(files, NOW)
    authority, server = files.ca.read_bytes(), files.server.read_bytes()
    names = x509.load_pem_x509_certificate(server).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert not certificates.ensure(files, NOW + dt.timedelta(days=300))
    assert certificates.ensure(files, NOW + dt.timedelta(days=340))
    assert files.server.read_bytes() != server
    assert files.ca.read_bytes() == authority  # clients keep trusting it


def test_a_new_authority_means_a_new_certificate(tmp_path: Path) -> None:
    files = Certificates.within(tmp_path)
    certificates.ensure(files, NOW)
    files.ca.unlink()
    assert certificates.ensure(files, NOW)
    server = x509.load_pem_x509_certificate(files.server.read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(files.ca.read_bytes()))


def test_private_keys_are_the_owners_alone(tmp_path: Path) -> None:
    files, token_keys = Certificates.within(tmp_path), Keys.within(tmp_path)
    certificates.ensure(files, NOW)
    keys.ensure(token_keys)
    for secret in (files.ca_key, files.server_key, token_keys.private):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_minted_token_is_one_that_services_accept(tmp_path: Path) -> None:
    files = Keys.within(tmp_path)
    assert keys.ensure(files)
    assert not keys.ensure(files)
    token = keys.mint(files, tenant="acme", subject="kim", roles=("operator",), ttl_s=60)
    clock = SystemClock()
    services = Authenticator(files.jwks, issuer=keys.ISSUER, audience=keys.AUDIENCE, required=True, clock=clock)
    identity = services.authenticate(f"Bearer {token}")
    assert identity is not None
    assert (identity.tenant, identity.principal.subject, sorted(identity.principal.roles)) == (
        "acme",
        "kim",
        ["operator"],
    )


def test_a_token_before_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="factoryai up"):
        keys.mint(Keys.within(tmp_path), tenant="default", subject="x", roles=(), ttl_s=60)


def test_a_taken_port_moves_the_whole_group_and_is_told() -> None:
    before = ports.choose()
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", before.services["data"] + 2000))  # only its metrics port
        occupied.listen()
        after = ports.choose()
    assert after.services["data"] != before.services["data"]
    assert any(line.startswith("data: port 8030 is taken, using ") for line in after.moved)
    everything = [after.edge, after.admin, *after.services.values()]
    assert len(set(everything)) == 8


def test_a_home_is_private(tmp_path: Path) -> None:
    place = home.at(tmp_path / "deep" / "home")
    place.create()
    place.create()
    for folder in (place.root, place.postgres, place.logs, place.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_that_is_not_ours_is_refused_with_advice() -> None:
    with pytest.raises(StackError, match="--home"):
        home.at(Path("/proc/1/factoryai")).create()


def test_sockets_of_a_deep_home_lie_elsewhere_and_are_removed(tmp_path: Path) -> None:
    place = home.at(tmp_path / ("x" * 80))
    place.create()
    assert not place.sockets.is_relative_to(place.root)
    assert len(os.fsencode(place.sockets / "postgres" / ".s.PGSQL.5432.lock")) < 104
    place.tidy()
    assert not place.sockets.exists()


def test_somebody_elses_socket_folder_is_refused(tmp_path: Path) -> None:
    place = home.at(tmp_path / ("y" * 80))
    place.sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(StackError, match="somebody else"):
            place.create()
    finally:
        place.sockets.unlink()


def test_one_home_has_one_supervisor(tmp_path: Path) -> None:
    place = home.at(tmp_path / "home")
    place.create()
    with place.locked(), pytest.raises(StackError, match="already running"), place.locked():
        pass
    with place.locked():
        pass
