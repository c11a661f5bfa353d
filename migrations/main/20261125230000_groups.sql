-- Groups that rules name or tokens carried, and what Entra calls them. For showing: nothing is decided on a name.
CREATE TABLE known_group (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT,
    former_name TEXT,
    renamed_at  BIGINT,
    gone_at     BIGINT,
    seen_at     BIGINT,
    checked_at  BIGINT
);
