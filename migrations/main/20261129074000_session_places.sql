-- For the person whose session it is: from where and with which browser they signed in, and when their groups were read.
-- None for sessions of an older version.
ALTER TABLE session ADD COLUMN client TEXT;
ALTER TABLE session ADD COLUMN browser TEXT;
ALTER TABLE session ADD COLUMN read_at BIGINT;
