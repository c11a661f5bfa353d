-- The audit log: its records, and what they refer to.
-- BLOB and INTEGER columns on purpose: this file is SQLite's own, tuned for one thing, appending.

-- Switches that let a guard rail be passed, for the length of one transaction: `erase`, `prune`.
CREATE TABLE audit_mode (
    name  TEXT    NOT NULL PRIMARY KEY CHECK (name IN ('erase', 'prune')),
    value INTEGER NOT NULL CHECK (value IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Writers of this log. A data directory has one; a restored backup may bring others.
CREATE TABLE origin (
    key       INTEGER NOT NULL PRIMARY KEY CHECK (key BETWEEN 1 AND 4194303),
    id        TEXT    NOT NULL UNIQUE CHECK (length(id) = 8),
    opened_us INTEGER NOT NULL
) STRICT;

-- Records, appended in order. `place` is origin key * 2^40 + seq: the table's own order finds a record by origin and
-- seq, so that the append path maintains no index besides the table itself.
CREATE TABLE record (
    place     INTEGER NOT NULL PRIMARY KEY CHECK (place >= 1099511627776),
    -- The exact bytes that were hashed; null only after an erasure.
    body      BLOB,
    -- SHA-256(0x00 || body).
    leaf_hash BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    -- Copies for querying only. What counts is the body.
    ts_us     INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    verdict   TEXT,
    app       TEXT,
    route     TEXT,
    subject   TEXT,
    principal BLOB,
    origin    INTEGER GENERATED ALWAYS AS (place >> 40) VIRTUAL,
    seq       INTEGER GENERATED ALWAYS AS (place & 1099511627775) VIRTUAL
) STRICT;

-- Principals as they were when something was decided, each content once.
CREATE TABLE principal_snapshot (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each outbox was taken over. Moves in the transaction of the record that the outbox row became.
CREATE TABLE taken (
    source TEXT    NOT NULL PRIMARY KEY,
    id     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Guard rails against accidents. They do not stop somebody who can drop them.
CREATE TRIGGER record_is_never_changed BEFORE UPDATE ON record
WHEN NEW.body IS NOT NULL
  OR NEW.place <> OLD.place
  OR NEW.leaf_hash <> OLD.leaf_hash
  OR NEW.ts_us <> OLD.ts_us
  OR NEW.kind <> OLD.kind
  OR NEW.verdict IS NOT OLD.verdict
  OR NOT EXISTS (SELECT 1 FROM audit_mode WHERE name = 'erase' AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
WHEN NOT EXISTS (SELECT 1 FROM audit_mode WHERE name = 'prune' AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER principal_is_never_changed BEFORE UPDATE ON principal_snapshot
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER principal_is_never_deleted BEFORE DELETE ON principal_snapshot
WHEN NOT EXISTS (SELECT 1 FROM audit_mode WHERE name IN ('erase', 'prune') AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER taken_only_grows BEFORE UPDATE ON taken
WHEN NEW.id <= OLD.id
BEGIN SELECT RAISE(ABORT, 'an outbox row is taken over once'); END;
