-- Facts, append-only: what reports and event files said, row by row, with the import each row came from.
-- Times are UTC. Amounts are exact decimals.

CREATE SEQUENCE import_order START 1;

CREATE TABLE imports (
    import_no BIGINT PRIMARY KEY,
    id VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    platform VARCHAR NOT NULL,
    campaign VARCHAR,
    body VARCHAR NOT NULL,
    UNIQUE (sha256, kind)
);

CREATE TABLE rejects (
    import_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    column_name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR NOT NULL
);

-- `replaced_by` is the number of the later import that corrects this row, NULL while the row counts.
-- `grain` says by what the row is broken down: whether by placement, and by which segment keys.
CREATE TABLE deliveries (
    import_no BIGINT NOT NULL,
    platform VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    ad_group VARCHAR NOT NULL,
    ad VARCHAR NOT NULL,
    ad_id VARCHAR NOT NULL,
    day DATE,
    day_end DATE,
    placement VARCHAR NOT NULL,
    segment VARCHAR NOT NULL,
    grain VARCHAR NOT NULL,
    impressions BIGINT,
    clicks BIGINT,
    link_clicks BIGINT,
    conversions DECIMAL(38, 18),
    conversion_value DECIMAL(38, 18),
    spend DECIMAL(38, 18),
    currency VARCHAR NOT NULL,
    asset_key VARCHAR NOT NULL,
    line BIGINT NOT NULL,
    flags VARCHAR NOT NULL,
    replaced_by BIGINT
);

CREATE TABLE exposures (
    import_no BIGINT NOT NULL,
    experiment VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    arm VARCHAR NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    replaced_by BIGINT
);

CREATE TABLE outcomes (
    import_no BIGINT NOT NULL,
    experiment VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    replaced_by BIGINT
);
