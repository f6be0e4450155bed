"""import: published files into a plant, by a declared mapping."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from factoryai.data.v1 import data_import_pb2, data_service_pb2
from rich import box
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from services.cli.exit_codes import ExitCode
from services.cli.failure import InputProblem
from services.cli.mappings import Chosen, choose
from services.cli.rest import Reply, Rest
from services.cli.session import Session
from services.cli.views.text import plain

_CHUNK_BYTES = 512 * 1024  # UploadImportChunkRequest.content
_COMMIT_TIMEOUT_S = 300.0
_SHOWN_ROWS = 20


def import_files(
    session: Session,
    path: Annotated[Path, typer.Argument(help="import.path")],
    *,
    mapping: Annotated[str, typer.Option(help="import.mapping")] = "",
    every_row: Annotated[bool, typer.Option("--all", help="import.all")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="import.strict")] = False,
) -> ExitCode:
    """Import files. Running it again with the same files changes nothing."""
    chosen = choose(path, mapping)
    session.say("import.mapping_chosen", mapping=chosen.origin)
    with session.connect() as rest:
        name = _create(rest, chosen)
        _upload(session, rest, name, chosen)
        with session.progress("import.committing"):
            reply = _commit(rest, name)
    report = reply.message.data_import
    if session.shared.as_json:
        session.print_json(reply.json)
    else:
        _show(session, report, every_row=every_row)
    if report.state == data_import_pb2.IMPORT_STATE_FAILED:
        return ExitCode.INVALID
    return ExitCode.REJECTED_ROWS if strict and report.rejected_count else ExitCode.OK


def _create(rest: Rest, chosen: Chosen) -> str:
    files = [
        data_import_pb2.ImportFile(name=path.name, size=path.stat().st_size, sha256=_digest(path))
        for path in chosen.files
    ]
    request = data_service_pb2.CreateImportRequest(
        data_import=data_import_pb2.DataImport(mapping=chosen.document, files=files), request_id=uuid.uuid4().hex
    )
    return rest.post("/v1/imports", request, data_service_pb2.CreateImportResponse).message.data_import.name


def _upload(session: Session, rest: Rest, name: str, chosen: Chosen) -> None:
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        console=session.err,
        disable=not session.interactive,
        transient=True,
    )
    with bars:
        for path in chosen.files:
            task = bars.add_task(path.name, total=path.stat().st_size)
            for offset, content in _chunks(path):
                request = data_service_pb2.UploadImportChunkRequest(file=path.name, offset=offset, content=content)
                rest.post(f"/v1/{name}:upload", request, data_service_pb2.UploadImportChunkResponse)
                bars.advance(task, len(content))


def _commit(rest: Rest, name: str) -> Reply[data_service_pb2.CommitImportResponse]:
    return rest.post(
        f"/v1/{name}:commit",
        data_service_pb2.CommitImportRequest(),
        data_service_pb2.CommitImportResponse,
        timeout_s=_COMMIT_TIMEOUT_S,
    )


def _chunks(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        offset = 0
        while content := file.read(_CHUNK_BYTES):
            yield offset, content
            offset += len(content)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputProblem("import.unreadable", path=path, why=error.strerror) from error


def _show(session: Session, report: data_import_pb2.DataImport, *, every_row: bool) -> None:
    words, out = session.words, session.out
    if report.state == data_import_pb2.IMPORT_STATE_FAILED:
        out.print(Text(words("import.failed", why=plain(report.failure))), soft_wrap=True)
    else:
        out.print(Text(words("import.done", plant=report.plant.removeprefix("plants/"))))
    counts = Table.grid(padding=(0, 2))
    for key in ("read", "inserted", "updated", "unchanged", "skipped", "rejected"):
        counts.add_row(Text(words(f"import.{key}")), Text(f"{getattr(report, f'{key}_count'):,}", justify="right"))
    out.print(counts)
    if not report.rejected_rows:
        return
    shown = list(report.rejected_rows) if every_row else list(report.rejected_rows)[:_SHOWN_ROWS]
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for key in ("file", "line", "column", "reason"):
        rows.add_column(words(f"import.{key}"), justify="right" if key == "line" else "left", overflow="fold")
    for row in shown:
        cells = (row.file, str(row.line), row.column, row.reason)
        rows.add_row(*(Text(plain(cell)) for cell in cells))
    out.print()
    out.print(rows)
    if len(shown) < report.rejected_count:
        session.say("import.more_rejected", shown=len(shown), total=report.rejected_count)
