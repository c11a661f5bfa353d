-- Single values that belong to the database and travel with its backups.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Sessions and their children carry the epoch they were made under; another epoch ends them all.
INSERT INTO setting (name, value) VALUES ('session_epoch', '1');
