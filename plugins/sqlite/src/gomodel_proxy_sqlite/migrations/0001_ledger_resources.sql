-- Times are microseconds since the epoch (UTC), durations microseconds, money pico-USD (1e-12 USD).

-- One row per admitted request.
CREATE TABLE requests (
    id           TEXT PRIMARY KEY NOT NULL,
    request_id   TEXT NOT NULL,
    started      INTEGER NOT NULL,
    principal    TEXT NOT NULL,
    user_path    TEXT NOT NULL,
    operation    TEXT NOT NULL,
    dialect      TEXT NOT NULL,
    model        TEXT NOT NULL, -- as asked
    provider     TEXT NOT NULL,
    type         TEXT NOT NULL,
    served_model TEXT NOT NULL,
    stream       INTEGER NOT NULL,
    status       TEXT NOT NULL, -- ok, error, cancelled, unknown
    losses       TEXT NOT NULL, -- JSON array of strings
    batch        TEXT,
    http_status  INTEGER,
    error        TEXT,
    latency      INTEGER,
    first_token  INTEGER
);

-- Every index is paid for by every request. Questions about a model, a provider or a status are rare,
-- come from administrators, and go by time.
CREATE INDEX requests_by_time ON requests (started);
CREATE INDEX requests_by_principal ON requests (principal, started);
CREATE INDEX requests_by_user_path ON requests (user_path, started);

-- One row per upstream attempt: where the tokens and the money are. NULL is unknown, never zero.
CREATE TABLE attempts (
    request             TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    ordinal             INTEGER NOT NULL,
    id                  TEXT NOT NULL,
    provider            TEXT NOT NULL,
    type                TEXT NOT NULL,
    model               TEXT NOT NULL,
    started             INTEGER NOT NULL,
    status              TEXT NOT NULL,
    http_status         INTEGER,
    error               TEXT,
    latency             INTEGER,
    first_token         INTEGER,
    input_tokens        INTEGER,
    output_tokens       INTEGER,
    cache_read_tokens   INTEGER,
    cache_write_tokens  INTEGER,
    reasoning_tokens    INTEGER,
    audio_input_tokens  INTEGER,
    audio_output_tokens INTEGER,
    provenance          TEXT, -- reported, estimated, partial; NULL: no usage at all
    input_cost          INTEGER,
    output_cost         INTEGER,
    total_cost          INTEGER,
    price_version       TEXT,
    raw_usage           TEXT, -- the vendor's own JSON object
    PRIMARY KEY (request, ordinal)
) WITHOUT ROWID;

-- Who owns what at the vendors.
CREATE TABLE resources (
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    owner    TEXT NOT NULL,
    provider TEXT NOT NULL,
    created  INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
