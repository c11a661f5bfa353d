-- From where and with which browser somebody signed in; none in rows of an older version, and where nobody can tell.
ALTER TABLE session ADD COLUMN client TEXT;
ALTER TABLE session ADD COLUMN browser TEXT;
