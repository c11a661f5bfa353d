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
    opened_us INTEGER NOT NULL,
    -- The public key that signed the origin's first checkpoint which is still there, as C2SP verifier key. A hint for those
    -- who check the log: what they trust is the key that they bring.
    log_key   TEXT    NOT NULL DEFAULT ''
) STRICT;

-- Principals as they were when something was decided, each content once.
CREATE TABLE principal_snapshot (
    -- Records name it by this number. One that was removed is never given again.
    key       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    hash      BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- The last field of the records' bodies: kind, subject and hash, as JSON.
    reference TEXT    NOT NULL,
    body      TEXT    NOT NULL,
    -- When it was last written or written again, at most a day before the last record that refers to it.
    seen_us   INTEGER NOT NULL
) STRICT;

-- Records, appended in order. `place` is origin key * 2^40 + seq: the table's own order finds a record by origin and
-- seq, so that the append path maintains no index besides the table itself. Nothing of the body is copied into columns.
CREATE TABLE record (
    place     INTEGER NOT NULL PRIMARY KEY CHECK (place >= 1099511627776),
    -- The exact bytes that were hashed, but for who asked, which comes last in them; null only after an erasure.
    body      BLOB,
    -- Who asked, of decisions: key of `principal_snapshot`.
    principal INTEGER,
    -- SHA-256(0x00 || the bytes that were hashed).
    leaf_hash BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    -- What an erasure leaves of the body: when, and of which kind, as JSON.
    remains   TEXT,
    origin    INTEGER GENERATED ALWAYS AS (place >> 40) VIRTUAL,
    seq       INTEGER GENERATED ALWAYS AS (place & 1099511627775) VIRTUAL
) STRICT;

-- What the log vouches for, signed: one checkpoint in every commit. The newest takes the place of the one before it, except
-- for one in each minute, which stays: proofs and exports begin and end there, and so does what is removed with age.
CREATE TABLE checkpoint (
    -- Origin key * 2^40 + how many records it vouches for.
    place INTEGER NOT NULL PRIMARY KEY CHECK (place >= 1099511627776),
    -- C2SP signed note.
    note  TEXT    NOT NULL,
    -- Roots of the perfect subtrees of that size, largest first, 32 bytes each.
    peaks BLOB    NOT NULL CHECK (length(peaks) % 32 = 0 AND length(peaks) <= 1280)
) STRICT;

-- How far each outbox was taken over. Moves in the transaction of the record that the outbox row became.
CREATE TABLE taken (
    source TEXT    NOT NULL PRIMARY KEY,
    id     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- People whose records are to be blanked: asked by whoever may write this file, done by the log's writer.
CREATE TABLE erasure (
    id       INTEGER NOT NULL PRIMARY KEY,
    subject  TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    asked_by TEXT    NOT NULL,
    asked_us INTEGER NOT NULL
) STRICT;

-- Guard rails against accidents. They do not stop somebody who can drop them.
CREATE TRIGGER record_is_never_changed BEFORE UPDATE ON record
WHEN NEW.body IS NOT NULL
  OR NEW.principal IS NOT NULL
  OR NEW.place <> OLD.place
  OR NEW.leaf_hash <> OLD.leaf_hash
  OR NOT EXISTS (SELECT 1 FROM audit_mode WHERE name = 'erase' AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
WHEN NOT EXISTS (SELECT 1 FROM audit_mode WHERE name = 'prune' AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER principal_is_never_changed BEFORE UPDATE ON principal_snapshot
WHEN NEW.key <> OLD.key OR NEW.hash <> OLD.hash OR NEW.reference <> OLD.reference OR NEW.body <> OLD.body
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER principal_is_never_deleted BEFORE DELETE ON principal_snapshot
WHEN NOT EXISTS (SELECT 1 FROM audit_mode WHERE name IN ('erase', 'prune') AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER checkpoint_only_moves_on BEFORE UPDATE ON checkpoint
WHEN NEW.place <= OLD.place OR NEW.place >> 40 <> OLD.place >> 40
BEGIN SELECT RAISE(ABORT, 'a checkpoint never goes back'); END;

CREATE TRIGGER checkpoint_is_never_deleted BEFORE DELETE ON checkpoint
WHEN NOT EXISTS (SELECT 1 FROM audit_mode WHERE name = 'prune' AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER taken_only_grows BEFORE UPDATE ON taken
WHEN NEW.id <= OLD.id
BEGIN SELECT RAISE(ABORT, 'an outbox row is taken over once'); END;
