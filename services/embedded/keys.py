"""The key that signs the tokens of one home, and the JWKS file that the services verify them with."""

from dataclasses import dataclass
from pathlib import Path

from services.chassis.auth import TokenSigner, new_private_key
from services.embedded.certificates import write_private
from services.embedded.failure import StackError

ISSUER = "factoryai"
AUDIENCE = "factoryai"


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the files are: the private key (PEM, owner alone) and the public half (JWKS)."""

    private: Path
    jwks: Path

    @staticmethod
    def within(folder: Path) -> "Keys":
        """Return the files of a home's key folder."""
        return Keys(folder / "signing.pem", folder / "jwks.json")


def ensure(files: Keys) -> bool:
    """Make the key and its JWKS where they are missing. True when the key is new."""
    fresh = not files.private.exists()
    if fresh:
        write_private(files.private, new_private_key())
    files.jwks.write_bytes(_signer(files).jwks())
    return fresh


def mint(files: Keys, *, tenant: str, subject: str, roles: tuple[str, ...], ttl_s: int) -> str:
    """Return a token of this home. Raises StackError when the home has no key yet."""
    if not files.private.exists():
        raise StackError(f"There is no key in {files.private.parent} yet. Run `factoryai up` with this home first.")
    return _signer(files).sign(subject, tenant=tenant, roles=roles, ttl_s=ttl_s)


def _signer(files: Keys) -> TokenSigner:
    return TokenSigner(files.private.read_bytes(), issuer=ISSUER, audience=AUDIENCE)
