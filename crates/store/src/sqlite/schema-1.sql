-- Schema 1 of an accredit store. docs/store-format.md explains every table and column.

CREATE TABLE actions (
    no                INTEGER PRIMARY KEY,
    id                BLOB NOT NULL UNIQUE,
    agent_id          TEXT NOT NULL,
    action_type       TEXT NOT NULL,
    goal_id           TEXT,
    parent_id         BLOB,
    parent_step_count INTEGER,
    spec              TEXT NOT NULL,
    begun_at          INTEGER NOT NULL,
    received_at       INTEGER NOT NULL,
    status            INTEGER NOT NULL,
    n_steps           INTEGER NOT NULL,
    n_observations    INTEGER NOT NULL,
    last_chunk        INTEGER NOT NULL,
    active_at         INTEGER NOT NULL,
    closed_at         INTEGER,
    duration_micros   INTEGER,
    outcome           TEXT,
    reward            REAL,
    version           INTEGER NOT NULL,
    score             REAL,
    verdict           INTEGER,
    first_block       INTEGER,
    n_blocks          INTEGER NOT NULL
) STRICT;

CREATE INDEX actions_agent ON actions (agent_id, no);
CREATE INDEX actions_type ON actions (action_type, no);
CREATE INDEX actions_goal ON actions (goal_id, no) WHERE goal_id IS NOT NULL;
CREATE INDEX actions_parent ON actions (parent_id, no) WHERE parent_id IS NOT NULL;
CREATE INDEX actions_open ON actions (no) WHERE status = 0;

CREATE TABLE chunks (
    no             INTEGER PRIMARY KEY,
    action_no      INTEGER NOT NULL,
    previous       INTEGER NOT NULL,
    first_seq      INTEGER NOT NULL,
    n_steps        INTEGER NOT NULL,
    n_observations INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    checksum       INTEGER NOT NULL,
    bytes          BLOB NOT NULL
) STRICT;

CREATE TABLE blocks (
    no        INTEGER PRIMARY KEY,
    action_no INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    checksum  INTEGER NOT NULL,
    bytes     BLOB NOT NULL
) STRICT;

CREATE TABLE entry_keys (
    action_no INTEGER NOT NULL,
    key       BLOB NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (action_no, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attributions (
    cursor    INTEGER PRIMARY KEY,
    action_no INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    checksum  INTEGER NOT NULL,
    bytes     BLOB NOT NULL,
    UNIQUE (action_no, version)
) STRICT;

CREATE TABLE sinks (
    name      TEXT PRIMARY KEY,
    taken_to  INTEGER NOT NULL,
    delivered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE failures (
    sink     TEXT NOT NULL,
    cursor   INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    dead     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    error    TEXT NOT NULL,
    PRIMARY KEY (sink, cursor)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
