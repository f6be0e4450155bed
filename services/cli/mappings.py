"""Which mapping belongs to the files that are imported, and which files belong to a mapping."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml

from services.cli.failure import InputProblem, Missing

_FILE = "mapping.yaml"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A mapping and its files, all there. `origin` tells people where the mapping is from."""

    origin: str
    document: str
    files: tuple[Path, ...]


def choose(path: Path, wish: str) -> Chosen:
    """Return the mapping for a folder, or for the folder of a file.

    The wish decides: a mapping file, or the name of a shipped one. Without it: `mapping.yaml` in the folder, else the
    shipped mapping whose files are all in the folder. Raises Missing or InputProblem.
    """
    if not path.exists():
        raise Missing("import.no_such_path", path=path)
    folder = path if path.is_dir() else path.parent
    if wish:
        origin, document = _wished(wish)
    elif (folder / _FILE).is_file():
        origin, document = str(folder / _FILE), _read(folder / _FILE)
    else:
        origin, document = _shipped_for(folder)
    names = file_names(document, origin)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise Missing("import.missing_files", mapping=origin, files=", ".join(missing))
    if path.is_file() and path.name not in names:
        raise InputProblem("import.not_in_mapping", mapping=origin, file=path.name)
    return Chosen(origin, document, tuple(folder / name for name in names))


def shipped() -> dict[str, Traversable]:
    """Return the mappings that come with the product, by the name of their data set."""
    root = resources.files("services").joinpath("data", "datasets")
    if not root.is_dir():
        return {}
    folders = sorted((folder for folder in root.iterdir() if folder.is_dir()), key=lambda folder: folder.name)
    return {folder.name: folder.joinpath(_FILE) for folder in folders if folder.joinpath(_FILE).is_file()}


def file_names(document: str, origin: str) -> tuple[str, ...]:
    """Return the names of the files that a mapping reads. Raises InputProblem where it does not say."""
    try:
        root = yaml.safe_load(document)
    except yaml.YAMLError as error:
        raise InputProblem("import.broken_mapping", mapping=origin, why=_first_line(error)) from error
    entries = root.get("files") if isinstance(root, dict) else None
    names = [each.get("name") for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise InputProblem("import.broken_mapping", mapping=origin, why="files: [{name: ...}]")
    # A mapping may read one file more than once, as a wide table into two data sets.
    return tuple(dict.fromkeys(str(name) for name in names))


def _wished(wish: str) -> tuple[str, str]:
    if Path(wish).is_file():
        return wish, _read(Path(wish))
    known = shipped()
    if wish not in known:
        raise Missing("import.no_such_mapping", mapping=wish, known=", ".join(known))
    return wish, known[wish].read_text(encoding="utf-8")


def _shipped_for(folder: Path) -> tuple[str, str]:
    found: list[tuple[str, str]] = []
    for name, mapping in shipped().items():
        document = mapping.read_text(encoding="utf-8")
        if all((folder / file).is_file() for file in file_names(document, name)):
            found.append((name, document))
    if len(found) != 1:
        key = "import.no_mapping" if not found else "import.many_mappings"
        raise Missing(key, folder=folder, known=_names(found) or ", ".join(shipped()))
    return found[0]


def _names(found: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in found)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputProblem("import.unreadable", path=path, why=_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
