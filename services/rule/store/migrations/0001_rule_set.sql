-- Versions of rule sets. Content never changes; the state of a version moves DRAFT -> ACTIVE -> DEPRECATED.
CREATE TABLE rule_set (
    tenant text NOT NULL,
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    state text NOT NULL CHECK (state IN ('draft', 'active', 'deprecated')),
    -- SHA-256 of the canonical content, lower-case hex.
    digest text NOT NULL,
    -- The canonical content: JSON with sorted keys. text, because jsonb would rewrite what the digest covers.
    content text NOT NULL,
    created_at timestamptz NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (tenant, name, version)
);
-- At most one version is in force.
CREATE UNIQUE INDEX rule_set_active ON rule_set (tenant, name) WHERE state = 'active';
ALTER TABLE rule_set ENABLE ROW LEVEL SECURITY;
ALTER TABLE rule_set FORCE ROW LEVEL SECURITY;
CREATE POLICY rule_set_tenant ON rule_set
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));
