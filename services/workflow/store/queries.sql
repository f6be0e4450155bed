-- name: insert_run
-- Keeps a run with its results and events in one statement. No row where its id or its request id is taken.
WITH kept AS (
    INSERT INTO run (
        tenant, run_id, plant, principal, definition, definition_id, definition_version, state, error,
        as_of, created_at, ended_at, inline, request_id, request_digest
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    ON CONFLICT DO NOTHING
    RETURNING run_id
), results AS (
    INSERT INTO node_result (
        tenant, run_id, node_id, position, kind, state, attempts, output, error, started_at, ended_at
    )
    SELECT $1, $2, each.*
    FROM kept, unnest(
        $16::text[], $17::integer[], $18::text[], $19::text[], $20::integer[], $21::bytea[], $22::bytea[],
        $23::timestamptz[], $24::timestamptz[]
    ) AS each
), events AS (
    INSERT INTO run_event (tenant, run_id, sequence, kind, node_id, attempt, retryable, error, at)
    SELECT $1, $2, each.*
    FROM kept, unnest(
        $25::integer[], $26::text[], $27::text[], $28::integer[], $29::boolean[], $30::bytea[], $31::timestamptz[]
    ) AS each
)
SELECT run_id FROM kept;

-- name: find_run
-- The run with an id.
SELECT * FROM run WHERE tenant = $1 AND run_id = $2;

-- name: find_run_by_request
-- The run that holds a request id.
SELECT * FROM run WHERE tenant = $1 AND request_id = $2 AND request_id <> '';

-- name: find_results
-- What became of the nodes of a run, in the order in which they ended.
SELECT * FROM node_result WHERE tenant = $1 AND run_id = $2 ORDER BY position;

-- name: find_events
-- The history of a run.
SELECT * FROM run_event WHERE tenant = $1 AND run_id = $2 ORDER BY sequence;

-- name: list_runs
-- Runs before an id (NULL: the newest), newest first, in a state (NULL: all); without what only one run is asked for.
SELECT run_id, plant, principal, state, error, as_of, created_at, ended_at, inline, request_id
FROM run
WHERE tenant = $1
  AND ($2::uuid IS NULL OR run_id < $2)
  AND ($3::text IS NULL OR state = $3)
ORDER BY run_id DESC
LIMIT $4;
