"""Who PostgreSQL runs as.

PostgreSQL refuses user id 0, and ids without an account, as containers like to give. Then we first try a user namespace
in which we are an ordinary user: no account is made, files stay ours, folders that only we may enter stay reachable.
Where namespaces are off, root really changes its id; the binaries and the data folder must be reachable for that id.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.embedded.failure import StackError

_NOBODY = 65534
_PROBE_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Identity:
    """How a command is started so that it does not run as root.

    `prefix` goes before the argv. `uid` is the user and group id to change to and to give files to; None keeps ours.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None

    def claim(self, folder: Path, within: Path) -> None:
        """Give `folder` to the id that will use it, and let that id pass through its parents down from `within`."""
        if self.uid is None:
            return
        os.chown(folder, self.uid, self.uid)
        for parent in folder.parents:
            if not parent.is_relative_to(within):
                break  # folders above are not ours to widen
            parent.chmod(parent.stat().st_mode | 0o011)  # enter, never list


def choose(binary: Path, folder: Path, within: Path) -> Identity:
    """Return the first identity under which `binary` answers `--version` and `folder` can be written.

    `within` is the topmost folder that is ours. Raises StackError when none does.
    """
    us = os.geteuid()
    if us != 0 and _has_account(us):
        return Identity()
    owner = folder.stat().st_uid
    for candidate in _candidates(us, owner):
        candidate.claim(folder, within)
        if _works(candidate, binary, folder):
            return candidate
        if candidate.uid is not None:
            os.chown(folder, owner, owner)
    if us != 0:
        raise StackError(
            f"PostgreSQL needs a user with an account; user id {us} has none, and user namespaces, which would lend it "
            "one, are off. Add the id to /etc/passwd, or run this as another user."
        )
    raise StackError(
        f"PostgreSQL refuses to run as root, and no other identity works here: user namespaces are off and user id "
        f"{owner or _NOBODY} cannot reach {binary.parent} or {folder}. "
        "Run this as an ordinary user, or put the checkout and --home in a folder that others may enter (chmod o+x)."
    )


def _candidates(us: int, owner: int) -> Iterator[Identity]:
    unshare = shutil.which("unshare")
    if unshare is not None:
        # The id exists only inside of the namespace, but has to be one that has an account: initdb looks it up.
        accounts = (account.pw_uid for account in pwd.getpwall() if account.pw_uid not in (0, _NOBODY))
        mapped = next(accounts, _NOBODY)
        yield Identity(prefix=(unshare, "--user", f"--map-user={mapped}", f"--map-group={mapped}", "--"))
    if us == 0:
        yield Identity(uid=owner or _NOBODY)


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _works(candidate: Identity, binary: Path, folder: Path) -> bool:
    script = '"$0" --version >/dev/null && test -w "$1" && test -x "$1"'
    try:
        probe = subprocess.run(  # noqa: S603 - our own binary
            [*candidate.prefix, "/bin/sh", "-c", script, str(binary), str(folder)],
            user=candidate.uid,
            group=candidate.uid,
            extra_groups=None if candidate.uid is None else [],
            capture_output=True,
            timeout=_PROBE_TIMEOUT_S,
            check=False,
            cwd="/",
        )
    except OSError:
        return False
    return probe.returncode == 0
