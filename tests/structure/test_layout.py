"""The tree keeps its shape: small files, telling names, one file of metrics, nothing of the machine it was built on."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 440  # "under about 400"
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
METRICS_FILE = "services/chassis/metrics.py"
# What a prometheus_client metric is made with; reading one is no making.
METRIC_TYPES = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
TEXT_ENDINGS = {".py", ".md", ".yaml", ".yml", ".toml", ".proto", ".sql", ".sh", ".lock", ""}
SECRET_FOLDERS = re.compile(r"(?<![\w./~])/(work|root|home)/\w")
INDEX_URL = re.compile(
    r"https?://\S*(simple|pypi|index|npm|registry)\S*|--(extra-)?index-url|--find-links", re.IGNORECASE
)


def tracked() -> list[Path]:
    """Return the files of the product: what git has, and what is new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


FILES = tracked()
OURS = [path for path in FILES if path.relative_to(ROOT).parts[0] not in {"gen", "third_party"}]
MODULES = [path for path in OURS if path.suffix == ".py"]


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_files_are_short() -> None:
    long = {short(path): lines for path in MODULES if (lines := len(path.read_text().splitlines())) > LONGEST_FILE}
    assert long == {}


def test_names_tell_something() -> None:
    parts = {short(path) for path in MODULES if {path.stem, *path.relative_to(ROOT).parts[:-1]} & EMPTY_NAMES}
    assert parts == set()


def test_metrics_are_made_in_one_file() -> None:
    makers = set()
    for path in MODULES:
        if not short(path).startswith("services/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in METRIC_TYPES and "prometheus_client" in path.read_text():
                makers.add(short(path))
    assert makers <= {METRICS_FILE}


def test_lock_files_name_no_index() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert locks
    for lock in locks:
        lines = [line for line in lock.read_text().splitlines() if INDEX_URL.search(line)]
        assert lines == [], lock.name


def test_dependencies_are_pinned_with_hashes() -> None:
    for lock in sorted(ROOT.glob("requirements*.lock")):
        text = re.sub(r"\\\n\s*", " ", lock.read_text())
        pins = [line for line in text.splitlines() if line and not line.startswith(("#", " ", "-"))]
        assert pins
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pins), lock.name


def test_no_file_speaks_of_the_machine_it_was_made_on() -> None:
    found = []
    for path in OURS:
        if path.suffix not in TEXT_ENDINGS or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if SECRET_FOLDERS.search(line):
                found.append(f"{short(path)}:{number}: {line.strip()}")
    assert found == []


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_make_command_of_the_readme_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z.][a-z.-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    told = set(
        re.findall(r"(?:^|`)make (?:[A-Z_]+=\S+ )*([a-z.][a-z.-]*)", (ROOT / name).read_text(), flags=re.MULTILINE)
    )
    assert told
    assert told <= targets


def test_the_two_readmes_tell_the_same() -> None:
    """Same commands, same headings in number: a translation that fell behind shows here."""

    def commands(name: str) -> list[str]:
        blocks = re.findall(r"```(?:sh|python|text)?\n(.*?)```", (ROOT / name).read_text(), flags=re.DOTALL)
        return [
            line
            for block in blocks
            for line in block.splitlines()
            if re.match(r"(factoryai|make|curl|buf|grpcurl) ", line)
        ]

    def headings(name: str) -> int:
        return len(re.findall(r"^#+ ", (ROOT / name).read_text(), flags=re.MULTILINE))

    assert headings("README.md") == headings("README.ko.md")
    first = [command.split()[:2] for command in commands("README.md")]
    assert first == [command.split()[:2] for command in commands("README.ko.md")]


def test_commands_of_the_readme_exist() -> None:
    from services.cli.main import build  # noqa: PLC0415 - only here

    known = set(build().commands)
    for name in ("README.md", "README.ko.md"):
        told = set(re.findall(r"\bfactoryai ([a-z][a-z-]*)", (ROOT / name).read_text()))
        assert told
        assert told <= known, name


def test_yaml_is_yaml() -> None:
    for path in OURS:
        if path.suffix in {".yaml", ".yml"}:
            list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
