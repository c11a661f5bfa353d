-- Single values that belong to the database and travel with its backups.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Sessions carry the epoch they were made under; a raised epoch ends them all.
INSERT INTO setting (name, value) VALUES ('session_epoch', '1');

-- The draft: one row per object of the rule book.
CREATE TABLE draft_object (
    kind       TEXT   NOT NULL CHECK (kind IN ('app', 'route', 'grant', 'policy', 'group_name')),
    id         TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    revision   BIGINT NOT NULL CHECK (revision >= 1),
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    PRIMARY KEY (kind, id)
);

-- Releases are only ever added; the highest number is live.
CREATE TABLE release (
    number       BIGINT NOT NULL PRIMARY KEY CHECK (number >= 1),
    rule_book    TEXT   NOT NULL,
    cedar        TEXT   NOT NULL,
    schema_json  TEXT   NOT NULL,
    sha256       TEXT   NOT NULL,
    published_at BIGINT NOT NULL,
    published_by TEXT   NOT NULL,
    note         TEXT   NOT NULL
);

-- Changes on their way into the audit log; written in the transaction of the change itself.
CREATE TABLE outbox (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id >= 1),
    made_at     BIGINT NOT NULL,
    actor       TEXT   NOT NULL,
    action      TEXT   NOT NULL,
    object      TEXT   NOT NULL,
    before_json TEXT   NOT NULL,
    after_json  TEXT   NOT NULL,
    taken_at    BIGINT
);

-- A signed-in browser. Ending a session removes its row.
CREATE TABLE session (
    id            TEXT   NOT NULL PRIMARY KEY,
    host          TEXT   NOT NULL,
    epoch         TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    principal     TEXT   NOT NULL,
    auth_contexts TEXT   NOT NULL,
    entra_session TEXT,
    login_hint    TEXT,
    refresh_token TEXT,
    signed_in_at  BIGINT NOT NULL,
    seen_at       BIGINT NOT NULL,
    recheck_at    BIGINT NOT NULL,
    ends_at       BIGINT NOT NULL
);

-- Serves the list of a person's sessions and the cap on them.
CREATE INDEX session_subject ON session (subject, signed_in_at);

-- Serve the sweep.
CREATE INDEX session_ends_at ON session (ends_at);
CREATE INDEX session_seen_at ON session (seen_at);

-- The tokens that open a session: its own on the gate's host, and one per app host. Hashes only.
CREATE TABLE session_token (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    session    TEXT   NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    host       TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    UNIQUE (session, host)
);

-- Sign-ins that went to Entra and have not come back. Hashes only of what the browser shows.
CREATE TABLE sign_in (
    state_hash    TEXT   NOT NULL PRIMARY KEY,
    browser_hash  TEXT   NOT NULL,
    source        TEXT   NOT NULL,
    nonce         TEXT   NOT NULL,
    verifier      TEXT   NOT NULL,
    return_path   TEXT,
    handover_hash TEXT,
    made_at       BIGINT NOT NULL,
    ends_at       BIGINT NOT NULL,
    CHECK ((return_path IS NULL) <> (handover_hash IS NULL))
);

-- Serves the cap per browser.
CREATE INDEX sign_in_browser ON sign_in (browser_hash, made_at);

-- Serves the cap per client address (`source`; IPv6 by its /64) and the search for the fullest one.
CREATE INDEX sign_in_source ON sign_in (source, made_at);

-- Serves the sweep.
CREATE INDEX sign_in_ends_at ON sign_in (ends_at);

-- Sign-ins that an app's host asked for: later they carry the one-time code that takes a session there.
CREATE TABLE handover (
    id_hash      TEXT   NOT NULL PRIMARY KEY,
    browser_hash TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    host         TEXT   NOT NULL,
    return_path  TEXT   NOT NULL,
    made_at      BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,
    code_hash    TEXT   UNIQUE,
    session      TEXT   REFERENCES session (id) ON DELETE CASCADE,
    CHECK ((code_hash IS NULL) = (session IS NULL))
);

-- Serves the cap per browser.
CREATE INDEX handover_browser ON handover (browser_hash, made_at);

-- Serves the cap per client address (`source`; IPv6 by its /64) and the search for the fullest one.
CREATE INDEX handover_source ON handover (source, made_at);

-- Serves the sweep.
CREATE INDEX handover_ends_at ON handover (ends_at);

-- Serves the end of a session, which takes its codes along.
CREATE INDEX handover_session ON handover (session);
