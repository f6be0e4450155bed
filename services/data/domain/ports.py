"""What the domain needs from outside, and what it relies on."""

from collections.abc import Callable
from typing import Protocol

from services.data.domain.catalogue import PlantRecord
from services.data.domain.imports import Batch, Counts, DataImport, ImportState, Piece
from services.data.domain.plant import Plant, TargetEntry
from services.data.domain.sample_state import SampleState
from services.data.domain.scan import Scan, Scanned


class Store(Protocol):
    """Keeps plants, rows and imports. Every method sees the rows of `tenant` only, and happens wholly or not at all.

    Raises Unavailable when it is out of reach. Two writers into one plant go one after the other.
    """

    async def plants(self, tenant: str, after: str, limit: int) -> list[Plant]:
        """Return plants by id, those after `after`."""
        ...

    async def plant(self, tenant: str, plant: str) -> PlantRecord | None:
        """Return a plant with what its data sets hold, or None."""
        ...

    async def targets(self, tenant: str, plant: str) -> tuple[str, list[TargetEntry]]:
        """Return the plant's version and, as of the same moment, its targets by kind, then id."""
        ...

    async def scan(self, tenant: str, plant: str, scan: Scan) -> Scanned | None:
        """Add up rows; None where there is no such plant. Version and figures are of the same moment."""
        ...

    async def sample(self, tenant: str, plant: str) -> SampleState | None:
        """Return from when to when a generated plant was generated, or None."""
        ...

    async def extend_sample(
        self, tenant: str, batch: Batch, state: SampleState, expected: SampleState | None
    ) -> Counts:
        """Take rows and note the new state. Raises Conflict where the state is no longer `expected`."""
        ...

    async def create_import(self, tenant: str, data_import: DataImport) -> None:
        """Note a new import."""
        ...

    async def get_import(self, tenant: str, import_id: str) -> DataImport | None:
        """Return an import, or None."""
        ...

    async def list_imports(self, tenant: str, before: str, limit: int) -> list[DataImport]:
        """Return imports, newest first, those before `before` (empty: all), without mappings and rejected rows."""
        ...

    async def put_piece(
        self, tenant: str, import_id: str, file: str, offset: int, content: bytes
    ) -> tuple[ImportState, list[Piece]]:
        """Keep a piece, in place of an earlier one of the same offset, if the import is UPLOADING.

        Returns the import's state and the pieces of the file that are there now.
        """
        ...

    async def content(self, tenant: str, import_id: str, file: str) -> list[tuple[int, bytes]]:
        """Return the pieces of a file with their offsets, ascending."""
        ...

    async def commit_import(
        self, tenant: str, import_id: str, batch: Batch, outcome: Callable[[Counts], DataImport]
    ) -> tuple[DataImport, bool]:
        """Take all rows, end the import as `outcome` says, and drop its pieces: one transaction.

        Returns the import as it then stands, and False where somebody else had ended it already.
        """
        ...

    async def fail_import(self, tenant: str, data_import: DataImport) -> None:
        """End an import that is UPLOADING without taking anything, and drop its pieces."""
        ...
