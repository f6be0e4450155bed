-- name: add_version
-- Keeps the content as the next version. $1 tenant, $2 name, $3 digest, $4 content, $5 time of writing.
INSERT INTO rule_set (tenant, name, version, state, digest, content, created_at)
SELECT $1, $2, coalesce(max(version), 0) + 1, 'draft', $3, $4, $5
FROM rule_set WHERE tenant = $1 AND name = $2
RETURNING version, state, digest, content, created_at, published_at;

-- name: lock_versions
-- Locks all versions of a rule set, newest first, so that two who publish follow each other. $1 tenant, $2 name.
SELECT version, state, digest, content, created_at, published_at
FROM rule_set WHERE tenant = $1 AND name = $2
ORDER BY version DESC
FOR UPDATE;

-- name: deprecate_active
-- Takes the version in force out of it. $1 tenant, $2 name.
UPDATE rule_set SET state = 'deprecated' WHERE tenant = $1 AND name = $2 AND state = 'active';

-- name: activate
-- Puts a version in force. $1 tenant, $2 name, $3 version, $4 time.
UPDATE rule_set SET state = 'active', published_at = $4
WHERE tenant = $1 AND name = $2 AND version = $3
RETURNING version, state, digest, content, created_at, published_at;

-- name: get_version
-- Reads one version. $1 tenant, $2 name, $3 version.
SELECT version, state, digest, content, created_at, published_at
FROM rule_set WHERE tenant = $1 AND name = $2 AND version = $3;

-- name: get_current
-- Reads the version in force, or the newest where none is. $1 tenant, $2 name.
SELECT version, state, digest, content, created_at, published_at
FROM rule_set WHERE tenant = $1 AND name = $2
ORDER BY (state = 'active') DESC, version DESC
LIMIT 1;

-- name: get_active
-- Reads the version in force. $1 tenant, $2 name.
SELECT version, state, digest, content, created_at, published_at
FROM rule_set WHERE tenant = $1 AND name = $2 AND state = 'active';

-- name: list_newest
-- Reads the newest version of each rule set by name. $1 tenant, $2 name to start after, $3 how many.
SELECT DISTINCT ON (name) version, state, digest, content, created_at, published_at
FROM rule_set WHERE tenant = $1 AND name > $2
ORDER BY name, version DESC
LIMIT $3;
