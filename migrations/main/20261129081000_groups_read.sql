-- When groups and roles were last read; none in rows of an older version, where the sign-in counts.
ALTER TABLE session ADD COLUMN read_at BIGINT;
