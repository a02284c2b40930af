-- What schema 3 adds to an accredit store: completions that were accepted and are still to be attributed.

CREATE TABLE accepted (
    action_no INTEGER PRIMARY KEY,
    checksum  INTEGER NOT NULL,
    bytes     BLOB NOT NULL
) STRICT;
