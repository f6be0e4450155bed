-- Runs, what became of their nodes, and the events from which both follow.
-- No foreign keys: the three are written by one statement and dropped together, by age.

CREATE TABLE run (
    tenant text NOT NULL,
    -- UUIDv7: newer runs sort last.
    run_id uuid NOT NULL,
    plant text NOT NULL,
    principal text NOT NULL,
    -- WorkflowDefinition, word for word as it was sent: a run stays on it.
    definition bytea NOT NULL,
    definition_id text NOT NULL,
    definition_version integer NOT NULL,
    state text NOT NULL,
    -- google.rpc.Status; NULL unless the run failed.
    error bytea,
    as_of timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    inline boolean NOT NULL,
    -- Empty for a run that holds none.
    request_id text NOT NULL,
    -- SHA-256 of the request that started it: the same id with another body is refused.
    request_digest bytea NOT NULL,
    PRIMARY KEY (tenant, run_id)
);
CREATE UNIQUE INDEX run_request ON run (tenant, request_id) WHERE request_id <> '';
CREATE INDEX run_state ON run (tenant, state, run_id DESC);

CREATE TABLE node_result (
    tenant text NOT NULL,
    run_id uuid NOT NULL,
    node_id text NOT NULL,
    iteration integer NOT NULL DEFAULT 0,
    -- Nodes in the order in which they ended, from 0.
    position integer NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    -- NodeOutput; NULL unless SUCCEEDED.
    output bytea,
    -- google.rpc.Status; NULL unless FAILED.
    error bytea,
    started_at timestamptz,
    ended_at timestamptz,
    -- A result is written once, whoever writes it and however often.
    PRIMARY KEY (tenant, run_id, node_id, iteration)
);

CREATE TABLE run_event (
    tenant text NOT NULL,
    run_id uuid NOT NULL,
    -- From 0, without gaps.
    sequence integer NOT NULL,
    kind text NOT NULL,
    -- Empty for events of the run as a whole.
    node_id text NOT NULL,
    attempt integer NOT NULL,
    -- What the host decided when a node failed: history repeats itself although the rules may change.
    retryable boolean NOT NULL,
    -- google.rpc.Status of a failure. The output of a node that succeeded stands in its result.
    error bytea,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant, run_id, sequence)
);

ALTER TABLE run ENABLE ROW LEVEL SECURITY;
ALTER TABLE run FORCE ROW LEVEL SECURITY;
CREATE POLICY run_tenant ON run
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));

ALTER TABLE node_result ENABLE ROW LEVEL SECURITY;
ALTER TABLE node_result FORCE ROW LEVEL SECURITY;
CREATE POLICY node_result_tenant ON node_result
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));

ALTER TABLE run_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_event FORCE ROW LEVEL SECURITY;
CREATE POLICY run_event_tenant ON run_event
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));
