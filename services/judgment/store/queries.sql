-- name: add_judgment
-- Keeps a judgment; gives no row where its request_id is kept already.
-- $1 tenant, $2 id, $3 plant, $4 time, $5 request_id or NULL, $6 content, $7 evidence.
INSERT INTO judgment (tenant, id, plant, created_at, request_id, content, evidence)
VALUES ($1, $2::text::uuid, $3, $4, $5, $6, $7)
ON CONFLICT (tenant, request_id) WHERE request_id IS NOT NULL DO NOTHING
RETURNING id;

-- name: get_by_request
-- Reads the judgment of a request. $1 tenant, $2 request_id.
SELECT content, evidence FROM judgment WHERE tenant = $1 AND request_id = $2;

-- name: get_judgment
-- Reads a judgment. $1 tenant, $2 id.
SELECT content, evidence FROM judgment WHERE tenant = $1 AND id = $2::text::uuid;

-- name: list_judgments
-- Reads judgments, newest first, those older than an id. $1 tenant, $2 id or NULL, $3 how many.
SELECT content, '[]'::jsonb AS evidence FROM judgment
WHERE tenant = $1 AND ($2::text IS NULL OR id < $2::text::uuid)
ORDER BY id DESC
LIMIT $3;
