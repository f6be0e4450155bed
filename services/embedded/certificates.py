"""The development certificate authority of one home, and the server certificate that it signs.

The authority is made once and may sign for no other host name, so trusting it in a browser opens little else. The
server certificate is renewed well before it expires; clients keep the same CA file.
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_DAYS = 3650
_SERVER_DAYS = 397  # browsers refuse more
_RENEW_BEFORE_DAYS = 60
_HOST = "localhost"
_ADDRESSES = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are. Private keys are readable by the owner alone."""

    ca: Path
    ca_key: Path
    server: Path
    server_key: Path

    @staticmethod
    def within(folder: Path) -> "Certificates":
        """Return the files of a home's certificate folder."""
        return Certificates(folder / "ca.pem", folder / "ca.key", folder / "server.pem", folder / "server.key")


def ensure(files: Certificates, now: dt.datetime) -> bool:
    """Make what is missing, renew what is about to expire. True when something was written."""
    if not (files.ca.exists() and files.ca_key.exists()) or _expires_within(files.ca, now, _RENEW_BEFORE_DAYS):
        _make_authority(files, now)
    elif (
        files.server.exists()
        and files.server_key.exists()
        and not _expires_within(files.server, now, _RENEW_BEFORE_DAYS)
        and _signed_by(files.server, files.ca)
    ):
        return False
    _make_server(files, now)
    return True


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, at every moment of its life."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


def _make_authority(files: Certificates, now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AI Factory development CA")])
    # Names only: BoringSSL, and with it every gRPC client, refuses a chain with constraints on addresses.
    permitted = [x509.DNSName(_HOST)]
    certificate = (
        _unsigned(name, name, key.public_key(), now, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(files.ca_key, _pem(key))
    files.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _make_server(files: Certificates, now: dt.datetime) -> None:
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    authority_key = serialization.load_pem_private_key(files.ca_key.read_bytes(), password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{files.ca_key} holds no elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)])
    names = [x509.DNSName(_HOST), *(x509.IPAddress(address) for address in _ADDRESSES)]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _unsigned(name, authority.subject, key.public_key(), now, _SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_private(files.server_key, _pem(key))
    files.server.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))  # clocks differ
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _expires_within(file: Path, now: dt.datetime, days: int) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc - now < dt.timedelta(days=days)


def _signed_by(file: Path, ca: Path) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    wanted = x509.load_pem_x509_certificate(ca.read_bytes()).extensions
    mine = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return mine == wanted.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
