"""Proves that gen/ is what proto/ gives: generates again beside it and compares byte by byte. Offline."""

import sys
import tempfile
from pathlib import Path

from tools.generate import ROOT, generate, generated_files


def differences(fresh: Path, committed: Path) -> list[str]:
    """Return one sentence for each file that is missing, stale or left over in `committed`."""
    wanted, found = generated_files(fresh), generated_files(committed)
    sentences = [f"missing: gen/{name}" for name in sorted(wanted - found)]
    sentences += [f"left over: gen/{name}" for name in sorted(found - wanted)]
    sentences += [
        f"stale: gen/{name}"
        for name in sorted(wanted & found)
        if (fresh / name).read_bytes() != (committed / name).read_bytes()
    ]
    return sentences


def main() -> int:
    """Return 0 when nothing differs, else 1 with the differences on standard output."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "gen"
        generate(fresh)
        found = differences(fresh, ROOT / "gen")
    for sentence in found:
        print(sentence)
    if found:
        print("gen/ is not what proto/ gives: run `make gen` and commit the result.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
