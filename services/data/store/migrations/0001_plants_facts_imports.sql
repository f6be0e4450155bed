-- The plant model, what was measured there, and imports on their way.
-- Every table belongs to tenants: row level security shows each transaction the rows of its own tenant only.

CREATE TABLE plant (
    tenant text NOT NULL,
    plant text NOT NULL,
    name_ko text NOT NULL,
    name_en text NOT NULL,
    time_zone text NOT NULL,
    -- Lists of what domain/plant.py calls Shift and Tag; goals by metric.
    shifts jsonb NOT NULL,
    tags jsonb NOT NULL,
    goals jsonb NOT NULL,
    synthetic boolean NOT NULL,
    attribution text NOT NULL,
    -- What each data set holds (domain/catalogue.py, Facts), as of the last change.
    facts jsonb NOT NULL,
    -- Digest of this row's content and of the plant's targets.
    version text NOT NULL,
    -- Of a generated plant: its seed, the hour that its causes are told from, and the end of its rows.
    sample_seed bigint,
    sample_anchor timestamptz,
    sample_end timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, plant)
);

CREATE TABLE target (
    tenant text NOT NULL,
    plant text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    -- NULL where nobody named it.
    name_ko text,
    name_en text,
    aliases text[] NOT NULL,
    parent text NOT NULL,
    PRIMARY KEY (tenant, plant, kind, id)
);

-- The tables of facts. Their primary keys begin with `key`: they serve imports only, and a server that has no
-- statistics of a new plant yet must not take them for a way to read a day of it; `_time` and `_tag_time` are.

-- Work of a machine over an interval, or of a line over a whole batch. Quantities in pieces, times in minutes.
CREATE TABLE production (
    tenant text NOT NULL,
    plant text NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    shift_started_at timestamptz,
    line text,
    equipment text,
    process text,
    product text,
    lot text,
    operator text,
    shift text,
    planned_qty double precision,
    total_qty double precision,
    good_qty double precision,
    defect_qty double precision,
    rework_qty double precision,
    scrap_qty double precision,
    runtime_min double precision,
    downtime_min double precision,
    setup_min double precision,
    stop_count double precision,
    ideal_cycle_s double precision,
    batch_min double precision,
    PRIMARY KEY (key, plant, tenant)
);
CREATE INDEX production_time ON production (tenant, plant, started_at);

-- Defective pieces by reason: how production.defect_qty splits up.
CREATE TABLE defect (
    tenant text NOT NULL,
    plant text NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    shift_started_at timestamptz,
    line text,
    equipment text,
    process text,
    product text,
    lot text,
    operator text,
    shift text,
    reason text,
    defect_qty double precision,
    PRIMARY KEY (key, plant, tenant)
);
CREATE INDEX defect_time ON defect (tenant, plant, started_at);

-- Stops: how production.downtime_min splits up.
CREATE TABLE downtime (
    tenant text NOT NULL,
    plant text NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    shift_started_at timestamptz,
    line text,
    equipment text,
    process text,
    product text,
    lot text,
    operator text,
    shift text,
    reason text,
    minutes double precision,
    PRIMARY KEY (key, plant, tenant)
);
CREATE INDEX downtime_time ON downtime (tenant, plant, started_at);

-- Metered intervals.
CREATE TABLE energy (
    tenant text NOT NULL,
    plant text NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    shift_started_at timestamptz,
    line text,
    equipment text,
    process text,
    shift text,
    category text,
    energy_kwh double precision,
    lagging_kvarh double precision,
    leading_kvarh double precision,
    co2_t double precision,
    power_factor double precision,
    PRIMARY KEY (key, plant, tenant)
);
CREATE INDEX energy_time ON energy (tenant, plant, started_at);

-- Sensor readings, one quantity a row, told apart by tag.
CREATE TABLE reading (
    tenant text NOT NULL,
    plant text NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    shift_started_at timestamptz,
    line text,
    equipment text,
    process text,
    shift text,
    category text,
    tag text NOT NULL,
    quality text NOT NULL,
    value double precision,
    PRIMARY KEY (key, plant, tenant)
);
CREATE INDEX reading_tag_time ON reading (tenant, plant, tag, started_at);

-- Stock at an instant; the newest row of each product, lot and category counts.
CREATE TABLE inventory (
    tenant text NOT NULL,
    plant text NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    shift_started_at timestamptz,
    product text,
    lot text,
    category text,
    stock_qty double precision,
    safety_qty double precision,
    daily_use_qty double precision,
    PRIMARY KEY (key, plant, tenant)
);
CREATE INDEX inventory_time ON inventory (tenant, plant, started_at);

CREATE TABLE data_import (
    tenant text NOT NULL,
    -- UUIDv7: sorts by time of birth.
    id text NOT NULL,
    plant text NOT NULL,
    mapping text NOT NULL,
    -- List of name, size, sha256.
    files jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('uploading', 'succeeded', 'failed')),
    read_count bigint NOT NULL DEFAULT 0,
    skipped_count bigint NOT NULL DEFAULT 0,
    rejected_count bigint NOT NULL DEFAULT 0,
    rejected_rows jsonb NOT NULL DEFAULT '[]',
    inserted_count bigint NOT NULL DEFAULT 0,
    unchanged_count bigint NOT NULL DEFAULT 0,
    updated_count bigint NOT NULL DEFAULT 0,
    failure text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (tenant, id)
);

-- Pieces of files on their way; gone when the import has ended.
CREATE TABLE import_piece (
    tenant text NOT NULL,
    import_id text NOT NULL,
    file text NOT NULL,
    "offset" bigint NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (tenant, import_id, file, "offset"),
    FOREIGN KEY (tenant, import_id) REFERENCES data_import (tenant, id) ON DELETE CASCADE
);

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['plant', 'target', 'production', 'defect', 'downtime', 'energy', 'reading',
                                'inventory', 'data_import', 'import_piece']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', each);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', each);
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (tenant = current_setting(''app.tenant'', true)) '
            'WITH CHECK (tenant = current_setting(''app.tenant'', true))',
            each || '_tenant', each
        );
    END LOOP;
END
$$;
