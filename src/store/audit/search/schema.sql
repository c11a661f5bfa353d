-- The search index: made from the log, worth nothing without it, and made anew when it does not fit.

-- How far it is, in one row.
CREATE TABLE progress (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    -- The place that is read next.
    next  INTEGER NOT NULL,
    -- The place and the hash of the last record that was read: another hash there is another log.
    last  INTEGER NOT NULL,
    leaf  BLOB    NOT NULL,
    -- The first place behind the log when this index was begun. Erasures before it left nothing here.
    born  INTEGER NOT NULL,
    -- Whether somebody was erased from the log since.
    stale INTEGER NOT NULL CHECK (stale IN (0, 1))
) STRICT;

-- What records are filed under.
CREATE TABLE term (
    id    INTEGER NOT NULL PRIMARY KEY,
    key   TEXT    NOT NULL,
    value TEXT    NOT NULL,
    UNIQUE (key, value)
) STRICT;

-- What a principal goes by, and is a member of: `term` is that of its content.
CREATE TABLE alias (
    key   TEXT    NOT NULL,
    value TEXT    NOT NULL,
    term  INTEGER NOT NULL,
    PRIMARY KEY (key, value, term)
) STRICT, WITHOUT ROWID;

-- 65,536 places are a block. The records of it under one term, as a Roaring bitmap of the last 16 bits of their places.
CREATE TABLE posting (
    block  INTEGER NOT NULL,
    term   INTEGER NOT NULL,
    places BLOB    NOT NULL,
    PRIMARY KEY (block, term)
) STRICT, WITHOUT ROWID;

-- The records of a block that were made in one minute, hour or day (`length` in seconds), which began at `start`.
CREATE TABLE period (
    length INTEGER NOT NULL,
    block  INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    places BLOB    NOT NULL,
    PRIMARY KEY (length, block, start)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
