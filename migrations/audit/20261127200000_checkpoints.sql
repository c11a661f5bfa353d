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

CREATE TRIGGER checkpoint_only_moves_on BEFORE UPDATE ON checkpoint
WHEN NEW.place <= OLD.place OR NEW.place >> 40 <> OLD.place >> 40
BEGIN SELECT RAISE(ABORT, 'a checkpoint never goes back'); END;

CREATE TRIGGER checkpoint_is_never_deleted BEFORE DELETE ON checkpoint
WHEN NOT EXISTS (SELECT 1 FROM audit_mode WHERE name = 'prune' AND value = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- The public key that signed an origin's first checkpoint which is still there, as C2SP verifier key. A hint for those who
-- check the log: what they trust is the key that they bring.
ALTER TABLE origin ADD COLUMN log_key TEXT NOT NULL DEFAULT '';

-- When a principal's content was last written or written again, at most a day before the last record that refers to it.
ALTER TABLE principal_snapshot ADD COLUMN seen_us INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER principal_is_never_changed;
CREATE TRIGGER principal_is_never_changed BEFORE UPDATE ON principal_snapshot
WHEN NEW.hash <> OLD.hash OR NEW.body <> OLD.body
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- People whose records are to be blanked: asked by whoever may write this file, done by the log's writer.
CREATE TABLE erasure (
    id       INTEGER NOT NULL PRIMARY KEY,
    subject  TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    asked_by TEXT    NOT NULL,
    asked_us INTEGER NOT NULL
) STRICT;
