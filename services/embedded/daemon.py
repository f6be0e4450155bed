"""The supervisor as a process of its own, for `up --detach`: `python -m services.embedded.daemon HOME FD [separate]`.

It writes what happens as JSON lines to the file descriptor FD until the stack is ready or has failed, and closes it.
"""

import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from services.embedded import home
from services.embedded.failure import StackError
from services.embedded.progress import Progress, StackStatus
from services.embedded.runner import Run


class _Line:
    """The pipe to whoever started us; it may go away, which is its own business."""

    def __init__(self, descriptor: int) -> None:
        self._pipe = os.fdopen(descriptor, "w", encoding="utf-8")

    def introduce(self) -> None:
        """Say which process to stop, should nobody want the stack any more."""
        self._send({"pid": os.getpid()})

    def progress(self, step: Progress) -> None:
        """Pass a step on."""
        print(f"{step.seconds:8.2f} {step.part}: {step.state} {step.detail}", flush=True)  # noqa: T201 - it is our log
        self._send({"progress": asdict(step)})

    def ready(self, _status: StackStatus) -> None:
        """Say that all is up; nothing follows."""
        self._send({"ready": True})
        self.close()

    def failed(self, message: str) -> None:
        """Say why there is no stack; nothing follows."""
        self._send({"failure": message})
        self.close()

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()

    def _send(self, message: dict[str, object]) -> None:
        if self._pipe.closed:
            return
        try:
            self._pipe.write(json.dumps(message, ensure_ascii=False) + "\n")
            self._pipe.flush()
        except BrokenPipeError:
            self.close()


def main(arguments: list[str]) -> int:
    """Run the stack until SIGTERM."""
    folder, descriptor, *options = arguments
    if os.fork():
        return 0  # whoever started us has no child to look after
    os.setsid()
    line = _Line(int(descriptor))
    line.introduce()
    try:
        Run(home.at(Path(folder)), line.progress, line.ready, separate="separate" in options).run()
    except StackError as failure:
        print(failure.message, flush=True)  # noqa: T201 - it is our log
        line.failed(failure.message)
        return 1
    line.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
