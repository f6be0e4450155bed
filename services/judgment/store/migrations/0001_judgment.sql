-- Judgments, written once and never changed. Ids are UUIDv7: their order is that of birth.
CREATE TABLE judgment (
    tenant text NOT NULL,
    id uuid NOT NULL,
    plant text NOT NULL,
    created_at timestamptz NOT NULL,
    -- The write's request_id: a repetition finds the judgment by it. NULL where the caller gave none.
    request_id text,
    -- What was judged and concluded, as JSON, without the evidence, which lists do not show.
    content jsonb NOT NULL,
    evidence jsonb NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX judgment_request ON judgment (tenant, request_id) WHERE request_id IS NOT NULL;
ALTER TABLE judgment ENABLE ROW LEVEL SECURITY;
ALTER TABLE judgment FORCE ROW LEVEL SECURITY;
CREATE POLICY judgment_tenant ON judgment
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));
