-- name: list_plants
-- Plants of the tenant by id, after the last one of the page before.
SELECT plant, name_ko, name_en, time_zone, shifts, tags, goals, synthetic, attribution
FROM plant WHERE plant > $1 ORDER BY plant LIMIT $2;

-- name: get_plant
-- One plant with what its data sets hold.
SELECT plant, name_ko, name_en, time_zone, shifts, tags, goals, synthetic, attribution, facts, version
FROM plant WHERE plant = $1;

-- name: get_targets
-- Version of the plant and all its targets, of one moment; a plant without targets gives one row without a kind.
SELECT p.version, t.kind, t.id, t.name_ko, t.name_en, t.aliases, t.parent
FROM plant AS p LEFT JOIN target AS t ON t.tenant = p.tenant AND t.plant = p.plant
WHERE p.plant = $1 ORDER BY t.kind, t.id;

-- name: get_sample
-- From when to when a generated plant was generated.
SELECT sample_seed, sample_anchor, sample_end FROM plant WHERE plant = $1 AND sample_seed IS NOT NULL;

-- name: put_plant
-- Creates a plant or brings its description up to date. Locks its row: writers into one plant go one after the other.
INSERT INTO plant AS p (tenant, plant, name_ko, name_en, time_zone, shifts, tags, goals, synthetic, attribution,
                        facts, version, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '[]', '', now())
ON CONFLICT (tenant, plant) DO UPDATE
SET name_ko = excluded.name_ko, name_en = excluded.name_en, time_zone = excluded.time_zone, shifts = excluded.shifts,
    tags = excluded.tags, goals = excluded.goals, synthetic = excluded.synthetic, attribution = excluded.attribution;

-- name: put_targets
-- Adds targets; one that has a name replaces an earlier one of its id, one without never does.
INSERT INTO target AS t (tenant, plant, kind, id, name_ko, name_en, aliases, parent)
SELECT $1, $2, n.kind, n.id, n.name_ko, n.name_en, n.aliases, n.parent
FROM jsonb_to_recordset($3::jsonb)
    AS n (kind text, id text, name_ko text, name_en text, aliases text[], parent text)
ON CONFLICT (tenant, plant, kind, id) DO UPDATE
SET name_ko = excluded.name_ko, name_en = excluded.name_en, aliases = excluded.aliases, parent = excluded.parent
WHERE excluded.name_ko IS NOT NULL;

-- name: put_facts
-- Notes what the data sets hold now, and the plant's new version.
UPDATE plant SET facts = $2, version = $3, updated_at = now() WHERE plant = $1;

-- name: lock_sample
-- State of a generated plant, locked until the end of the transaction.
SELECT sample_seed, sample_anchor, sample_end FROM plant WHERE plant = $1 FOR UPDATE;

-- name: put_sample
-- Notes from when to when a generated plant is generated.
UPDATE plant SET sample_seed = $2, sample_anchor = $3, sample_end = $4 WHERE plant = $1;

-- name: create_import
-- A new import, to be uploaded.
INSERT INTO data_import (tenant, id, plant, mapping, files, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: get_import
-- One import with its report.
SELECT * FROM data_import WHERE id = $1;

-- name: lock_import
-- State of an import, locked until the end of the transaction.
SELECT state FROM data_import WHERE id = $1 FOR UPDATE;

-- name: share_import
-- State of an import that must not end while a piece of it is written; pieces do not wait for each other.
SELECT state FROM data_import WHERE id = $1 FOR SHARE;

-- name: list_imports
-- Imports, newest first, without mappings and rejected rows.
SELECT tenant, id, plant, '' AS mapping, files, state, read_count, skipped_count, rejected_count,
       '[]'::jsonb AS rejected_rows, inserted_count, unchanged_count, updated_count, failure, created_at, ended_at
FROM data_import WHERE $1 = '' OR id < $1 ORDER BY id DESC LIMIT $2;

-- name: end_import
-- The end of an import, good or bad.
UPDATE data_import
SET state = $2, read_count = $3, skipped_count = $4, rejected_count = $5, rejected_rows = $6, inserted_count = $7,
    unchanged_count = $8, updated_count = $9, failure = $10, ended_at = $11
WHERE id = $1;

-- name: put_piece
-- Keeps a piece of a file, in place of an earlier one of the same offset.
INSERT INTO import_piece (tenant, import_id, file, "offset", content) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant, import_id, file, "offset") DO UPDATE SET content = excluded.content;

-- name: get_pieces
-- Where the pieces of a file lie.
SELECT "offset", length(content) AS size FROM import_piece WHERE import_id = $1 AND file = $2 ORDER BY "offset";

-- name: get_content
-- The pieces of a file.
SELECT "offset", content FROM import_piece WHERE import_id = $1 AND file = $2 ORDER BY "offset";

-- name: drop_pieces
-- Pieces of an import that has ended.
DELETE FROM import_piece WHERE import_id = $1;
