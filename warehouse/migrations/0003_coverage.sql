-- What people saw in pictures, append-only: of one rater's labels of a picture and axis the latest counts, and one
-- without a value takes the earlier back.

CREATE TABLE labels (
    campaign VARCHAR NOT NULL,
    picture VARCHAR NOT NULL,
    axis VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    rater VARCHAR NOT NULL,
    labelled_at TIMESTAMP NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);

-- Reports of coverage: sums over a campaign's pictures, never anything about a single one.
CREATE TABLE coverage_reports (
    campaign VARCHAR NOT NULL,
    saved BIGINT NOT NULL,
    body VARCHAR NOT NULL
);
