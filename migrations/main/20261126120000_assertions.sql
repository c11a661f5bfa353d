-- The draft holds assertions as well. A CHECK can't be widened in place everywhere, so the table is made anew.
CREATE TABLE draft_object_with_assertions (
    kind       TEXT   NOT NULL
        CHECK (kind IN ('app', 'route', 'grant', 'policy', 'assertion', 'group_name')),
    id         TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    revision   BIGINT NOT NULL CHECK (revision >= 1),
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    PRIMARY KEY (kind, id)
);
INSERT INTO draft_object_with_assertions (kind, id, body, revision, changed_at, changed_by)
SELECT kind, id, body, revision, changed_at, changed_by FROM draft_object;
DROP TABLE draft_object;
ALTER TABLE draft_object_with_assertions RENAME TO draft_object;
