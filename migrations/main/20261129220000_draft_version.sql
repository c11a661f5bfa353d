-- Counts the changes of the draft, so that what was read of it is known to be what it still is without reading it again.
CREATE TABLE draft_version (
    one     BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);

INSERT INTO draft_version (one, version) VALUES (1, 0);
