-- Batches, the queue of their lines, and files.

CREATE TABLE batches (
    key         INTEGER PRIMARY KEY AUTOINCREMENT, -- no key comes twice: old lines may still be there
    id          TEXT NOT NULL UNIQUE,
    owner       TEXT NOT NULL,
    created     INTEGER NOT NULL,
    status      TEXT NOT NULL,
    input       TEXT NOT NULL, -- the file it was read from
    data        TEXT NOT NULL, -- all of it, a JSON object
    idempotency TEXT,
    due         INTEGER, -- when it is to be looked after
    token       INTEGER, -- whose claim
    until       INTEGER, -- and how long
    served      INTEGER NOT NULL DEFAULT 0, -- the token of its youngest leases
    ended       INTEGER -- NULL while it runs
);

CREATE UNIQUE INDEX batches_by_idempotency ON batches (owner, idempotency)
WHERE idempotency IS NOT NULL;
CREATE INDEX batches_by_owner ON batches (owner, created, id);
CREATE INDEX batches_by_time ON batches (created, id);
CREATE INDEX batches_due ON batches (due) WHERE due IS NOT NULL;
CREATE INDEX batches_in_progress ON batches (served) WHERE status = 'in_progress';
CREATE INDEX batches_by_end ON batches (ended) WHERE ended IS NOT NULL;
CREATE INDEX batches_running ON batches (input) WHERE ended IS NULL;

-- Keys of deleted batches whose lines are still to go.
CREATE TABLE batches_gone (key INTEGER PRIMARY KEY);

-- The last token that was given out.
CREATE TABLE batch_tokens (last INTEGER NOT NULL);
INSERT INTO batch_tokens VALUES (0);

-- What changes about a line, narrow; `place` is the batch's key * 2^32 + the line's index.
--   open:      failed, token and until are NULL; the vendor's if there is a shipment
--   leased:    token says to whom, until says how long
--   held back: token is NULL, until says how long
--   done:      failed is 0 or 1, token and until are NULL
CREATE TABLE batch_lines (
    place     INTEGER PRIMARY KEY,
    batch     INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    url       TEXT NOT NULL,
    model     TEXT NOT NULL,
    provider  TEXT NOT NULL,
    shipment  INTEGER,
    token     INTEGER,
    until     INTEGER,
    tries     INTEGER NOT NULL DEFAULT 0,
    failed    INTEGER
);

-- A line is in one of these at most, and in none once it is done.
CREATE INDEX batch_lines_open ON batch_lines (batch, provider)
WHERE failed IS NULL AND token IS NULL AND until IS NULL AND shipment IS NULL;
CREATE INDEX batch_lines_leased ON batch_lines (batch, provider, until) WHERE token IS NOT NULL;
CREATE INDEX batch_lines_held ON batch_lines (batch, provider, until)
WHERE token IS NULL AND until IS NOT NULL;

CREATE INDEX batch_lines_shipped ON batch_lines (batch, shipment) WHERE shipment IS NOT NULL;

CREATE TABLE batch_bodies (
    place INTEGER PRIMARY KEY,
    body  BLOB NOT NULL
);

CREATE TABLE batch_results (
    place       INTEGER PRIMARY KEY,
    provider    TEXT NOT NULL, -- who answered, '' for who was to
    model       TEXT NOT NULL,
    status_code INTEGER NOT NULL,
    result      BLOB NOT NULL
);

-- Files without their bytes, which are beside this database, or a batch's results.
CREATE TABLE files (
    id        TEXT PRIMARY KEY NOT NULL,
    owner     TEXT NOT NULL,
    user_path TEXT NOT NULL,
    created   INTEGER NOT NULL,
    name      TEXT NOT NULL,
    purpose   TEXT NOT NULL,
    size      INTEGER NOT NULL,
    expires   INTEGER,
    batch     TEXT
);

CREATE INDEX files_by_owner ON files (owner, created, id);
CREATE INDEX files_by_time ON files (created, id);
CREATE INDEX files_by_expiry ON files (expires) WHERE expires IS NOT NULL;
CREATE INDEX files_by_batch ON files (batch) WHERE batch IS NOT NULL;
