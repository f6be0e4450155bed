"""Who PostgreSQL runs as.

PostgreSQL refuses user id 0. As root we first try a user namespace in which we are an ordinary user: no account is
made, files stay ours, folders that only we may enter stay reachable. Where namespaces are off (many containers) the
id is really changed; then the binaries and the data folder must be reachable for that id.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.embedded.failure import StackError

_NOBODY = 65534
_MAPPED = 1000  # any id but 0: it exists only inside the namespace
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
    if os.geteuid() != 0:
        return Identity()
    owner = folder.stat().st_uid
    candidates = []
    unshare = shutil.which("unshare")
    if unshare is not None:
        mapped = (unshare, "--user", f"--map-user={_MAPPED}", f"--map-group={_MAPPED}", "--")
        candidates.append(Identity(prefix=mapped))
    candidates.append(Identity(uid=owner or _NOBODY))
    for candidate in candidates:
        candidate.claim(folder, within)
        if _works(candidate, binary, folder):
            return candidate
        os.chown(folder, owner, owner)
    raise StackError(
        f"PostgreSQL refuses to run as root, and no other identity works here: user namespaces are off and user id "
        f"{owner or _NOBODY} cannot reach {binary.parent} or {folder}. "
        "Run this as an ordinary user, or put the checkout and --home in a folder that others may enter (chmod o+x)."
    )


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
