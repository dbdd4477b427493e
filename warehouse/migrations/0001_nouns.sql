-- Nouns: columns for what queries need, and the noun's canonical JSON as `body`, which is what is read back.
-- `saved` numbers every save in order, so that "the latest" never depends on a clock.

CREATE SEQUENCE save_order START 1;

CREATE TABLE campaigns (
    slug VARCHAR NOT NULL,
    content_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL,
    PRIMARY KEY (slug, content_id)
);

CREATE TABLE plans (
    id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE recipes (
    id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    variant_id VARCHAR NOT NULL,
    placement VARCHAR NOT NULL,
    scene_id VARCHAR NOT NULL,
    body VARCHAR NOT NULL
);

-- Which recipes a plan asks for, in the plan's order.
CREATE TABLE plan_recipes (
    plan_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    recipe_id VARCHAR NOT NULL
);

CREATE TABLE scenes (
    id VARCHAR PRIMARY KEY,
    sha256 VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

-- Which campaign drew a scene; campaigns with equal recipes share it.
CREATE TABLE scene_campaigns (
    scene_id VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    PRIMARY KEY (scene_id, campaign)
);

CREATE TABLE assets (
    id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    variant_id VARCHAR NOT NULL,
    placement VARCHAR NOT NULL,
    locale VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    scene_id VARCHAR,
    sha256 VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE scores (
    asset_id VARCHAR NOT NULL,
    criterion VARCHAR NOT NULL,
    scorer VARCHAR NOT NULL,
    value DOUBLE,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE verdicts (
    asset_id VARCHAR NOT NULL,
    criterion VARCHAR NOT NULL,
    grade VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE reviews (
    asset_id VARCHAR NOT NULL,
    judgement VARCHAR NOT NULL,
    reviewer VARCHAR NOT NULL,
    reviewed_at TIMESTAMP NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

-- Append-only: the program has no statement that changes or removes a line.
CREATE TABLE ledger (
    key VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    amount DECIMAL(38, 18) NOT NULL,
    currency VARCHAR NOT NULL,
    asset_id VARCHAR,
    scene_id VARCHAR,
    booked_at TIMESTAMP,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE experiments (
    id VARCHAR PRIMARY KEY,
    campaign VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE analyses (
    experiment VARCHAR NOT NULL,
    data_version VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE decisions (
    experiment VARCHAR NOT NULL,
    call VARCHAR NOT NULL,
    arm VARCHAR,
    decided_by VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);
