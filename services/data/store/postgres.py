"""Plants, rows and imports in PostgreSQL. Row level security shows each transaction its tenant's rows only."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg

from services.chassis.postgres import Database, Queries
from services.data.domain.catalogue import Facts, PlantRecord, version_of
from services.data.domain.datasets import DATASETS, Row
from services.data.domain.imports import Batch, Counts, DataImport, ImportState, Piece
from services.data.domain.plant import Plant, TargetEntry
from services.data.domain.sample_state import SampleState
from services.data.domain.scan import Group, Scan, Scanned
from services.data.store import records, statements
from services.errors import Conflict, NotFound, Reason

# COPY encodes rows on the event loop; after so many it lets others have a turn.
_ROWS_A_TURN = 500


class PostgresStore:
    """A `Store` (domain/ports.py) on a chassis database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("services.data.store")

    async def plants(self, tenant: str, after: str, limit: int) -> list[Plant]:
        """Return plants by id, those after `after`."""
        async with self._database.transaction(tenant) as connection:
            return [records.plant(row) for row in await connection.fetch(self._sql["list_plants"], after, limit)]

    async def plant(self, tenant: str, plant: str) -> PlantRecord | None:
        """Return a plant with what its data sets hold, or None."""
        async with self._database.transaction(tenant) as connection:
            row = await connection.fetchrow(self._sql["get_plant"], plant)
        return PlantRecord(records.plant(row), row["version"], records.facts(row["facts"])) if row else None

    async def targets(self, tenant: str, plant: str) -> tuple[str, list[TargetEntry]]:
        """Return the plant's version and, as of the same moment, its targets by kind, then id."""
        async with self._database.transaction(tenant) as connection:
            rows = await connection.fetch(self._sql["get_targets"], plant)
        if not rows:
            raise NotFound(f"there is no plant {plant}", Reason.UNKNOWN_PLANT, {"plant": plant})
        return rows[0]["version"], [records.target(row) for row in rows if row["kind"] is not None]

    async def scan(self, tenant: str, plant: str, scan: Scan) -> Scanned | None:
        """Add up rows in one statement; None where there is no such plant."""
        statement = statements.scan(plant, scan)
        async with self._database.transaction(tenant) as connection:
            rows = await connection.fetch(statement.sql, *statement.parameters)
        version = next((row["version"] for row in rows if row["branch"] < 0), None)
        if version is None:
            return None
        width = len(scan.dimensions)
        groups = tuple(
            Group(branch, window, bucket, (d1, d2)[:width], tuple(figures), latest)
            for branch, window, bucket, d1, d2, figures, latest, _ in rows
            # Where nothing splits a window, one without rows gives a group of no rows.
            if branch >= 0 and latest is not None
        )
        return Scanned(version, groups)

    async def sample(self, tenant: str, plant: str) -> SampleState | None:
        """Return from when to when a generated plant was generated, or None."""
        async with self._database.transaction(tenant) as connection:
            return _sample(await connection.fetchrow(self._sql["get_sample"], plant))

    async def extend_sample(
        self, tenant: str, batch: Batch, state: SampleState, expected: SampleState | None
    ) -> Counts:
        """Take rows and note the new state. Raises Conflict where the state is no longer `expected`."""
        async with self._database.transaction(tenant) as connection:
            await self._put_plant(connection, tenant, batch.plant)
            found = _sample(await connection.fetchrow(self._sql["lock_sample"], batch.plant.id))
            if found != expected:
                raise Conflict(f"somebody else extended {batch.plant.id} meanwhile", retry_after=0.1)
            counts = await self._merge(connection, tenant, batch)
            await connection.execute(self._sql["put_sample"], batch.plant.id, state.seed, state.anchor, state.end)
            return counts

    async def create_import(self, tenant: str, data_import: DataImport) -> None:
        """Note a new import."""
        async with self._database.transaction(tenant) as connection:
            await connection.execute(
                self._sql["create_import"],
                tenant,
                data_import.id,
                data_import.plant,
                data_import.mapping,
                records.files_column(data_import.files),
                data_import.state.value,
                data_import.created_at,
            )

    async def get_import(self, tenant: str, import_id: str) -> DataImport | None:
        """Return an import, or None."""
        async with self._database.transaction(tenant) as connection:
            row = await connection.fetchrow(self._sql["get_import"], import_id)
        return records.data_import(row) if row else None

    async def list_imports(self, tenant: str, before: str, limit: int) -> list[DataImport]:
        """Return imports by id, newest first, those before `before`, without mappings and rejected rows."""
        async with self._database.transaction(tenant) as connection:
            rows = await connection.fetch(self._sql["list_imports"], before, limit)
        return [records.data_import(row) for row in rows]

    async def put_piece(
        self, tenant: str, import_id: str, file: str, offset: int, content: bytes
    ) -> tuple[ImportState, list[Piece]]:
        """Keep a piece, in place of an earlier one of the same offset, if the import is UPLOADING."""
        async with self._database.transaction(tenant) as connection:
            state = ImportState(await connection.fetchval(self._sql["share_import"], import_id))
            if state is ImportState.UPLOADING:
                await connection.execute(self._sql["put_piece"], tenant, import_id, file, offset, content)
            rows = await connection.fetch(self._sql["get_pieces"], import_id, file)
        return state, [Piece(row["offset"], row["size"]) for row in rows]

    async def content(self, tenant: str, import_id: str, file: str) -> list[tuple[int, bytes]]:
        """Return the pieces of a file with their offsets, ascending."""
        async with self._database.transaction(tenant) as connection:
            rows = await connection.fetch(self._sql["get_content"], import_id, file)
        return [(row["offset"], row["content"]) for row in rows]

    async def commit_import(
        self, tenant: str, import_id: str, batch: Batch, outcome: Callable[[Counts], DataImport]
    ) -> tuple[DataImport, bool]:
        """Take all rows, end the import as `outcome` says, and drop its pieces: one transaction."""
        async with self._database.transaction(tenant) as connection:
            state = ImportState(await connection.fetchval(self._sql["lock_import"], import_id))
            if state is not ImportState.UPLOADING:
                return records.data_import(await connection.fetchrow(self._sql["get_import"], import_id)), False
            await self._put_plant(connection, tenant, batch.plant)
            ended = outcome(await self._merge(connection, tenant, batch))
            await self._end(connection, ended)
            return ended, True

    async def fail_import(self, tenant: str, data_import: DataImport) -> None:
        """End an import that is UPLOADING without taking anything, and drop its pieces."""
        async with self._database.transaction(tenant) as connection:
            state = ImportState(await connection.fetchval(self._sql["lock_import"], data_import.id))
            if state is ImportState.UPLOADING:
                await self._end(connection, data_import)

    async def _end(self, connection: asyncpg.Connection, ended: DataImport) -> None:
        await connection.execute(
            self._sql["end_import"],
            ended.id,
            ended.state.value,
            ended.report.read,
            ended.report.skipped,
            ended.report.rejected,
            records.rejected_column(ended.report.rejected_rows),
            ended.counts.inserted,
            ended.counts.unchanged,
            ended.counts.updated,
            ended.failure,
            ended.ended_at,
        )
        await connection.execute(self._sql["drop_pieces"], ended.id)

    async def _put_plant(self, connection: asyncpg.Connection, tenant: str, plant: Plant) -> None:
        await connection.execute(self._sql["put_plant"], tenant, *records.plant_columns(plant))

    async def _merge(self, connection: asyncpg.Connection, tenant: str, batch: Batch) -> Counts:
        plant = batch.plant
        await connection.execute(self._sql["put_targets"], tenant, plant.id, records.targets_column(batch.targets))
        inserted = updated = total = 0
        for name, rows in batch.rows.items():
            if not rows:
                continue
            dataset = DATASETS[name]
            await connection.execute(statements.incoming(dataset))
            await connection.copy_records_to_table(
                "incoming", records=_turns(tenant, plant.id, rows), columns=["tenant", "plant", *dataset.columns]
            )
            merged = await connection.fetchrow(statements.merge(dataset))
            await connection.execute("DROP TABLE incoming")
            inserted += merged["inserted"]
            updated += merged["updated"]
            total += len(rows)
        await self._renew(connection, plant)
        return Counts(inserted, total - inserted - updated, updated)

    async def _renew(self, connection: asyncpg.Connection, plant: Plant) -> None:
        facts: list[Facts] = []
        for dataset in DATASETS.values():
            rows = await connection.fetch(statements.facts(dataset), plant.id)
            facts += [_facts(dataset.name, dataset.columns, row) for row in rows]
        found = await connection.fetch(self._sql["get_targets"], plant.id)
        targets = [records.target(row) for row in found if row["kind"] is not None]
        version = version_of(plant, facts, targets)
        await connection.execute(self._sql["put_facts"], plant.id, records.facts_column(facts), version)


async def _turns(tenant: str, plant: str, rows: list[Row]) -> AsyncIterator[tuple[object, ...]]:
    for i, row in enumerate(rows):
        if i % _ROWS_A_TURN == 0:
            await asyncio.sleep(0)
        yield (tenant, plant, *row)


def _facts(dataset: str, columns: tuple[str, ...], row: Any) -> Facts:
    filled = frozenset(name for name, count in zip(columns, row["filled"], strict=True) if count)
    return Facts(dataset, row["tag"], row["row_count"], row["first"], row["last"], row["longest"], filled)


def _sample(row: Any) -> SampleState | None:
    if row is None or row["sample_seed"] is None:
        return None
    return SampleState(row["sample_seed"], row["sample_anchor"], row["sample_end"])
