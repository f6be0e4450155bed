"""The life of an import: announced, uploaded piece by piece, committed once."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from services.data.domain import importing, mapping
from services.data.domain.imports import (
    MAX_PIECES,
    MAX_TOTAL_SIZE,
    Counts,
    DataImport,
    ImportFile,
    ImportState,
    Piece,
    arrived,
)
from services.data.domain.metrics import Metric
from services.data.domain.plant import Plant
from services.data.domain.ports import Store
from services.errors import FactoryError, FailedPrecondition, FieldViolation, Invalid, NotFound, Reason


class Intake:
    """Takes published files into plants."""

    def __init__(
        self, store: Store, metrics: Mapping[str, Metric], *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._now = now
        self._new_id = new_id

    async def create(self, tenant: str, written: str, files: tuple[ImportFile, ...]) -> DataImport:
        """Begin an import. Raises Invalid (IMPORT_REJECTED) naming every fault of mapping and files."""
        document = mapping.read(written)
        faults = [*_file_faults(document, files), *self._goal_faults(document)]
        existing = await self._store.plant(tenant, document.plant.id)
        if existing is not None:
            faults += _plant_faults(existing.plant, document)
        if faults:
            raise Invalid(faults[0].description, Reason.IMPORT_REJECTED, {}, tuple(faults))
        created = DataImport(self._new_id(), written, files, document.plant.id, ImportState.UPLOADING, self._now())
        await self._store.create_import(tenant, created)
        return created

    async def upload(self, tenant: str, import_id: str, file: str, offset: int, content: bytes) -> int:
        """Keep a piece and return how many bytes of its file have arrived.

        Raises NotFound, Invalid where the piece does not lie in the announced file, and FailedPrecondition
        (INVALID_STATE) where the import has ended.
        """
        current = await self.get(tenant, import_id)
        announced = next((each for each in current.files if each.name == file), None)
        if announced is None:
            raise _invalid("file", f"{file} was not announced", "import.file")
        if offset + len(content) > announced.size:
            raise _invalid("offset", f"{file} was announced with {announced.size:,} bytes", "import.offset")
        state, pieces = await self._store.put_piece(tenant, import_id, file, offset, content)
        if state is not ImportState.UPLOADING:
            raise _ended(current.id, state)
        if len(pieces) > MAX_PIECES:
            raise _invalid("offset", f"{file} comes in more than {MAX_PIECES:,} pieces", "import.pieces")
        return arrived(pieces)

    async def commit(self, tenant: str, import_id: str) -> tuple[DataImport, bool]:
        """Take all good rows. Returns the import with its report, and whether this call did the work.

        Raises NotFound, FailedPrecondition (INVALID_STATE) where bytes are missing or the import has failed, and
        Invalid (IMPORT_REJECTED) where a file as a whole cannot be read: the import has failed then.
        """
        current = await self.get(tenant, import_id)
        if current.state is ImportState.SUCCEEDED:
            return current, False
        if current.state is ImportState.FAILED:
            raise _ended(current.id, current.state)
        document = mapping.read(current.mapping)
        wanted = {file.name for file in document.files}
        contents = {
            file.name: await self._arrived(tenant, current, file) for file in current.files if file.name in wanted
        }
        try:
            _check_digests(current.files, await asyncio.to_thread(_digests, contents))
            batch, report = await asyncio.to_thread(importing.read, document, contents)
        except Invalid as rejected:
            failed = replace(current, state=ImportState.FAILED, ended_at=self._now(), failure=_told(rejected))
            await self._store.fail_import(tenant, failed)
            raise

        def outcome(counts: Counts) -> DataImport:
            return replace(
                current, state=ImportState.SUCCEEDED, ended_at=self._now(), report=report, counts=counts, failure=""
            )

        return await self._store.commit_import(tenant, import_id, batch, outcome)

    async def get(self, tenant: str, import_id: str) -> DataImport:
        """Return an import with its report. Raises NotFound."""
        found = await self._store.get_import(tenant, import_id)
        if found is None:
            raise NotFound(f"there is no import {import_id}", metadata={"resource": f"imports/{import_id}"})
        return found

    async def imports(self, tenant: str, before: str, limit: int) -> tuple[list[DataImport], str]:
        """Return a page of imports, newest first, and the last id of it, empty where no more follow."""
        found = await self._store.list_imports(tenant, before, limit + 1)
        return found[:limit], found[limit - 1].id if len(found) > limit else ""

    async def _arrived(self, tenant: str, current: DataImport, file: ImportFile) -> bytes:
        pieces = await self._store.content(tenant, current.id, file.name)
        there = arrived([Piece(offset, len(content)) for offset, content in pieces])
        if there < file.size:
            raise FailedPrecondition(
                f"{there:,} of {file.size:,} bytes of {file.name} have arrived",
                Reason.INVALID_STATE,
                {"resource": f"imports/{current.id}", "state": current.state.name},
            )
        return await asyncio.to_thread(_assemble, file.size, pieces)

    def _goal_faults(self, document: mapping.Mapping) -> list[FieldViolation]:
        known = {*self._metrics, *(tag.id for tag in document.plant.tags)}
        return [
            FieldViolation(f"data_import.mapping.plant.goals.{goal}", f"{goal} is no metric", "import.goal")
            for goal in document.plant.goals
            if goal not in known
        ]


def _file_faults(document: mapping.Mapping, files: tuple[ImportFile, ...]) -> list[FieldViolation]:
    announced = [file.name for file in files]
    wanted = [file.name for file in document.files]
    faults = [
        f"{name} is announced twice" for name in sorted({each for each in announced if announced.count(each) > 1})
    ]
    faults += [f"{name}, which the mapping reads, is missing" for name in wanted if name not in announced]
    allowed = {*wanted, *document.ignored_files}
    faults += [f"{name} is not named in the mapping" for name in announced if name not in allowed]
    if sum(file.size for file in files) > MAX_TOTAL_SIZE:
        faults.append(f"the files are larger than {MAX_TOTAL_SIZE // 1024 // 1024} MiB together; import them in parts")
    return [FieldViolation("data_import.files", fault, "import.files") for fault in faults]


def _plant_faults(existing: Plant, document: mapping.Mapping) -> list[FieldViolation]:
    where = "data_import.mapping.plant"
    if existing.synthetic:
        description = f"{existing.id} is a generated plant; choose another id"
        return [FieldViolation(f"{where}.id", description, "import.plant")]
    if existing.zone.key != document.plant.time_zone:
        # Its rows were placed in days and shifts by that zone.
        description = f"{existing.id} lives in {existing.zone.key}, not in {document.plant.time_zone}"
        return [FieldViolation(f"{where}.time_zone", description, "import.plant")]
    return []


def _assemble(size: int, pieces: Iterable[tuple[int, bytes]]) -> bytes:
    whole = bytearray(size)
    for offset, content in pieces:
        whole[offset : offset + len(content)] = content
    return bytes(whole)


def _digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def _check_digests(files: Iterable[ImportFile], found: Mapping[str, str]) -> None:
    for file in files:
        if found.get(file.name, file.sha256) != file.sha256:
            description = f"the bytes of {file.name} that arrived are not those announced: SHA-256 {found[file.name]}"
            violation = FieldViolation("data_import.files", description, "import.sha256")
            raise Invalid(description, Reason.IMPORT_REJECTED, {}, (violation,))


def _told(rejected: FactoryError) -> str:
    return "; ".join(each.description for each in rejected.violations) or rejected.message


def _invalid(field: str, description: str, rule: str) -> Invalid:
    return Invalid(description, violations=(FieldViolation(field, description, rule),))


def _ended(import_id: str, state: ImportState) -> FailedPrecondition:
    return FailedPrecondition(
        f"import {import_id} has ended: {state.value}",
        Reason.INVALID_STATE,
        {"resource": f"imports/{import_id}", "state": state.name},
    )
