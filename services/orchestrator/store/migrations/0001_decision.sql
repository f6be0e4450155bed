-- Questions and everything that became of them. `body` is the serialized factoryai.orchestrator.v1.Decision without its
-- feedback; the columns beside it are what is searched for. Times are the orchestrator's clock, as in the body.
CREATE TABLE decision (
    tenant text NOT NULL,
    -- UUIDv7 as text: sorts by time of birth.
    id text COLLATE "C" NOT NULL,
    plant text NOT NULL,
    conversation text NOT NULL,
    state text NOT NULL CHECK (state IN ('RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    intent text NOT NULL,
    create_time timestamptz NOT NULL,
    -- Part of the passport: which catalogue the plan was grounded in, and which template made it.
    catalog_version text NOT NULL,
    template text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX decision_conversation ON decision (tenant, conversation, id DESC);
CREATE INDEX decision_running ON decision (tenant, create_time) WHERE state = 'RUNNING';
ALTER TABLE decision ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision FORCE ROW LEVEL SECURITY;
CREATE POLICY decision_tenant ON decision
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));

-- What people thought of answers; `body` is a serialized factoryai.orchestrator.v1.Feedback. Appended, never changed.
CREATE TABLE feedback (
    tenant text NOT NULL,
    decision_id text COLLATE "C" NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, decision_id, seq),
    FOREIGN KEY (tenant, decision_id) REFERENCES decision (tenant, id) ON DELETE CASCADE
);
ALTER TABLE feedback ENABLE ROW LEVEL SECURITY;
ALTER TABLE feedback FORCE ROW LEVEL SECURITY;
CREATE POLICY feedback_tenant ON feedback
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));

-- What the next utterance may lean on; `context` is a serialized factoryai.router.v1.DialogueContext.
CREATE TABLE conversation (
    tenant text NOT NULL,
    id text COLLATE "C" NOT NULL,
    plant text NOT NULL,
    language text NOT NULL,
    update_time timestamptz NOT NULL,
    context bytea NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX conversation_age ON conversation (tenant, update_time);
ALTER TABLE conversation ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation FORCE ROW LEVEL SECURITY;
CREATE POLICY conversation_tenant ON conversation
    USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));
