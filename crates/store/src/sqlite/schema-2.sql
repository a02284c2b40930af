-- What schema 2 adds to an accredit store: what was learned of its actions.

CREATE TABLE learners (
    action_type TEXT PRIMARY KEY,
    raw_bytes   INTEGER NOT NULL,
    checksum    INTEGER NOT NULL,
    bytes       BLOB NOT NULL
) STRICT;

CREATE TABLE models (
    action_type TEXT NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    n_actions   INTEGER NOT NULL,
    method      TEXT NOT NULL,
    raw_bytes   INTEGER NOT NULL,
    checksum    INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    UNIQUE (action_type, version)
) STRICT;

CREATE TABLE forgotten (
    action_id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
