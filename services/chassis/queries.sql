-- name: claim_request
-- Claims a request id: inserts it, or takes it over when its claim ran out unanswered and the body is the same.
-- No row when somebody else holds it or it has been answered.
INSERT INTO request_log AS known (tenant, method, request_id, digest, claimed_until)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
ON CONFLICT (tenant, method, request_id) DO UPDATE
SET claim = known.claim + 1, claimed_until = excluded.claimed_until
WHERE known.response IS NULL AND known.claimed_until < now() AND known.digest = excluded.digest
RETURNING claim;

-- name: read_request
-- What is known of a request id.
SELECT digest, response, claim FROM request_log WHERE tenant = $1 AND method = $2 AND request_id = $3;

-- name: complete_request
-- Keeps the answer of the claim that did the work.
UPDATE request_log SET response = $5 WHERE tenant = $1 AND method = $2 AND request_id = $3 AND claim = $4;

-- name: release_request
-- Frees the id after failed work.
DELETE FROM request_log
WHERE tenant = $1 AND method = $2 AND request_id = $3 AND claim = $4 AND response IS NULL;

-- name: purge_requests
-- Forgets the tenant's answers that are older than the retention, in seconds.
DELETE FROM request_log WHERE created_at < now() - make_interval(secs => $1);
