-- Batches, the queue of their lines, and files.

-- The value itself is in `data`. Results are counted into it, so this is the row that everybody
-- writes to: it stays in its page, and the claim has a row of its own.
CREATE TABLE batches (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text COLLATE "C" NOT NULL UNIQUE,
    owner       text COLLATE "C" NOT NULL,
    created     bigint NOT NULL,
    status      text NOT NULL,
    input       text COLLATE "C" NOT NULL, -- the file it was read from
    idempotency text COLLATE "C",
    ended       bigint, -- NULL while it runs
    data        text NOT NULL -- all of it, a JSON object
) WITH (fillfactor = 50);
ALTER TABLE batches ALTER COLUMN data SET STORAGE MAIN;

-- An index on what changes often would cost every change a new entry in all of them.
CREATE UNIQUE INDEX batches_by_idempotency ON batches (owner, idempotency)
WHERE idempotency IS NOT NULL;
CREATE INDEX batches_by_owner ON batches (owner, created, id);
CREATE INDEX batches_by_time ON batches (created, id);
CREATE INDEX batches_by_end ON batches (ended) WHERE ended IS NOT NULL;
CREATE INDEX batches_running ON batches (input) WHERE ended IS NULL;

-- Every claim and every round of leases has a token of its own.
CREATE SEQUENCE batch_tokens;

-- Who looks after a batch. `due` is what the batch says.
CREATE TABLE batch_claims (
    batch bigint PRIMARY KEY,
    due   bigint,
    token bigint, -- NULL: nobody
    until bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE INDEX batch_claims_due ON batch_claims (due) WHERE due IS NOT NULL;

-- Written once, never changed.
CREATE TABLE batch_lines (
    batch     bigint NOT NULL,
    index     bigint NOT NULL,
    custom_id text NOT NULL,
    url       text NOT NULL,
    model     text NOT NULL,
    provider  text COLLATE "C" NOT NULL,
    shipment  integer,
    body      bytea NOT NULL,
    PRIMARY KEY (batch, index)
);
ALTER TABLE batch_lines ALTER COLUMN body SET STORAGE MAIN;

CREATE INDEX batch_lines_open ON batch_lines (batch, provider, index) WHERE shipment IS NULL;
CREATE INDEX batch_lines_shipped ON batch_lines (batch, shipment, index) WHERE shipment IS NOT NULL;

-- How far a batch has come at a provider. Lines before `next` have been leased; of those, the ones
-- before `low` have results, so nobody has to pass what leases have left in the index there.
CREATE TABLE batch_lanes (
    batch    bigint NOT NULL,
    provider text COLLATE "C" NOT NULL,
    active   boolean NOT NULL, -- whether the batch is in progress
    next     bigint NOT NULL DEFAULT 0,
    low      bigint NOT NULL DEFAULT 0,
    served   bigint NOT NULL DEFAULT 0, -- the token of its youngest leases
    resent   bigint NOT NULL DEFAULT 0, -- leases that followed one that ran out
    PRIMARY KEY (batch, provider)
) WITH (fillfactor = 50);

CREATE INDEX batch_lanes_active ON batch_lanes (provider) WHERE active;

-- A line that has been leased and has no result. Given back: no token, until 0, due says when it
-- may be leased again.
CREATE TABLE batch_leases (
    batch    bigint NOT NULL,
    index    bigint NOT NULL,
    provider text COLLATE "C" NOT NULL,
    token    bigint,
    until    bigint NOT NULL,
    due      bigint NOT NULL DEFAULT 0,
    tries    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (batch, index)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Written once, never changed.
CREATE TABLE batch_results (
    batch       bigint NOT NULL,
    index       bigint NOT NULL,
    failed      boolean NOT NULL,
    status_code integer NOT NULL,
    provider    text NOT NULL, -- who answered, '' for who was to
    model       text NOT NULL,
    result      bytea NOT NULL,
    PRIMARY KEY (batch, index)
);
ALTER TABLE batch_results ALTER COLUMN result SET STORAGE MAIN;

-- Keys of deleted batches whose lines are still to go.
CREATE TABLE batches_gone (key bigint PRIMARY KEY);

CREATE TABLE files (
    id        text COLLATE "C" PRIMARY KEY,
    owner     text COLLATE "C" NOT NULL,
    user_path text NOT NULL,
    created   bigint NOT NULL,
    name      text NOT NULL,
    purpose   text NOT NULL,
    size      bigint NOT NULL,
    expires   bigint,
    batch     text COLLATE "C", -- whose results it is
    content   bigint -- its bytes, NULL: it has none of its own
);

CREATE INDEX files_by_owner ON files (owner, created, id);
CREATE INDEX files_by_time ON files (created, id);
CREATE INDEX files_by_expiry ON files (expires) WHERE expires IS NOT NULL;
CREATE INDEX files_by_batch ON files (batch) WHERE batch IS NOT NULL;

-- Bytes that belong to no file: still coming in, or to go. `touched` is when a piece last came.
CREATE TABLE file_strays (
    content bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    touched timestamptz NOT NULL DEFAULT now()
);

-- Pieces of 256 KiB, the last one shorter.
CREATE TABLE file_pieces (
    content bigint NOT NULL,
    number  integer NOT NULL,
    bytes   bytea NOT NULL,
    PRIMARY KEY (content, number)
);
ALTER TABLE file_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL; -- compressing is not worth it
