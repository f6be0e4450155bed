-- name: add_decision
-- Inserts a decision that has no end yet.
INSERT INTO decision (tenant, id, plant, conversation, state, intent, create_time, catalog_version, template, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: add_turn
-- Inserts a decision together with what its conversation remembers now, in one round trip. A turn that ended later
-- keeps its word; conversations of the tenant whose last turn is older than $14 are forgotten.
WITH forgotten AS (
    DELETE FROM conversation WHERE tenant = $1 AND update_time <= $14 AND id <> $4
), remembered AS (
    INSERT INTO conversation AS known (tenant, id, plant, language, update_time, context)
    VALUES ($1, $4, $3, $11, $12, $13)
    ON CONFLICT (tenant, id) DO UPDATE
    SET plant = excluded.plant, language = excluded.language, update_time = excluded.update_time,
        context = excluded.context
    WHERE known.update_time <= excluded.update_time
)
INSERT INTO decision (tenant, id, plant, conversation, state, intent, create_time, catalog_version, template, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: finish_decision
-- Replaces a decision that is RUNNING; no row where it has ended.
UPDATE decision SET state = $3, intent = $4, catalog_version = $5, template = $6, body = $7
WHERE tenant = $1 AND id = $2 AND state = 'RUNNING'
RETURNING id;

-- name: remember
-- Keeps what a conversation remembers, unless a turn that ended later has spoken.
INSERT INTO conversation AS known (tenant, id, plant, language, update_time, context)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant, id) DO UPDATE
SET plant = excluded.plant, language = excluded.language, update_time = excluded.update_time, context = excluded.context
WHERE known.update_time <= excluded.update_time;

-- name: get_decision
-- One decision with its feedback, oldest first.
SELECT body, catalog_version, ARRAY(
    SELECT f.body FROM feedback f WHERE f.tenant = d.tenant AND f.decision_id = d.id ORDER BY f.seq
) AS feedback
FROM decision d WHERE tenant = $1 AND id = $2;

-- name: page_decisions
-- The newest decisions below an id that all given filters hold for; empty and NULL hold for all.
SELECT body, catalog_version, ARRAY(
    SELECT f.body FROM feedback f WHERE f.tenant = d.tenant AND f.decision_id = d.id ORDER BY f.seq
) AS feedback
FROM decision d
WHERE tenant = $1
    AND ($2 = '' OR id < $2)
    AND ($3 = '' OR plant = $3)
    AND ($4 = '' OR state = $4)
    AND ($5 = '' OR intent = $5)
    AND ($6 = '' OR conversation = $6)
    AND ($7::timestamptz IS NULL OR create_time >= $7)
    AND ($8::timestamptz IS NULL OR create_time < $8)
ORDER BY id DESC
LIMIT $9;

-- name: abandoned_decisions
-- Decisions that are RUNNING and were asked before an instant.
SELECT body, catalog_version, ARRAY[]::bytea[] AS feedback
FROM decision WHERE tenant = $1 AND state = 'RUNNING' AND create_time < $2
ORDER BY create_time LIMIT 100;

-- name: add_feedback
-- Appends feedback.
INSERT INTO feedback (tenant, decision_id, body) VALUES ($1, $2, $3);

-- name: get_conversation
-- A conversation with the ids of its newest decisions.
SELECT plant, language, update_time, context, ARRAY(
    SELECT d.id FROM decision d WHERE d.tenant = c.tenant AND d.conversation = c.id ORDER BY d.id DESC LIMIT 20
) AS decisions
FROM conversation c WHERE tenant = $1 AND id = $2;
