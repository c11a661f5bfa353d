-- Who removed which object from the draft, so that a review can name them. Gone once the object is back, or the removal
-- is published.
CREATE TABLE draft_removal (
    kind       TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    removed_at BIGINT NOT NULL,
    removed_by TEXT   NOT NULL,
    PRIMARY KEY (kind, id)
);
