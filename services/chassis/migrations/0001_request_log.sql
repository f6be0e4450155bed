-- Answers of writes by request_id, so that a repeated write is answered and not done again.
CREATE TABLE request_log (
    tenant text NOT NULL,
    method text NOT NULL,
    request_id text NOT NULL,
    -- SHA-256 of the request: the same id with another body is refused.
    digest bytea NOT NULL,
    -- The serialized answer; NULL while the work is under way.
    response bytea,
    -- Work that has not answered by then is taken for dead, and the id may be claimed again.
    claimed_until timestamptz NOT NULL,
    -- Raised by each claim: a worker that lost its claim cannot complete it.
    claim bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, method, request_id)
);
CREATE INDEX request_log_age ON request_log (created_at);
ALTER TABLE request_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE request_log FORCE ROW LEVEL SECURITY;
CREATE POLICY request_log_tenant ON request_log
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));
