-- Times are microseconds since the epoch (UTC), durations microseconds, money pico-USD (1e-12 USD).
-- Text that is an id or is compared has the collation "C": its order is that of its bytes.

-- One row per admitted request.
CREATE TABLE requests (
    id           text COLLATE "C" PRIMARY KEY,
    request_id   text NOT NULL,
    started      bigint NOT NULL,
    principal    text COLLATE "C" NOT NULL,
    user_path    text COLLATE "C" NOT NULL,
    operation    text NOT NULL,
    dialect      text NOT NULL,
    model        text NOT NULL, -- as asked
    provider     text NOT NULL,
    type         text NOT NULL,
    served_model text NOT NULL,
    stream       smallint NOT NULL,
    status       text NOT NULL, -- ok, error, cancelled, unknown
    losses       text NOT NULL, -- JSON array of strings
    batch        text,
    http_status  bigint,
    error        text,
    latency      bigint,
    first_token  bigint
);

-- Every index is paid for by every request. Questions about a model, a provider or a status are
-- rare, come from administrators, and go by time.
CREATE INDEX requests_by_time ON requests (started);
CREATE INDEX requests_by_principal ON requests (principal, started);
CREATE INDEX requests_by_user_path ON requests (user_path, started);

-- One row per upstream attempt: where the tokens and the money are. NULL is unknown, never zero.
-- It goes with its request; a foreign key would look that up for every attempt.
CREATE TABLE attempts (
    request             text COLLATE "C" NOT NULL,
    ordinal             integer NOT NULL,
    id                  text NOT NULL,
    provider            text NOT NULL,
    type                text NOT NULL,
    model               text NOT NULL,
    started             bigint NOT NULL,
    status              text NOT NULL,
    http_status         bigint,
    error               text,
    latency             bigint,
    first_token         bigint,
    input_tokens        bigint,
    output_tokens       bigint,
    cache_read_tokens   bigint,
    cache_write_tokens  bigint,
    cache_write_1h_tokens bigint,
    reasoning_tokens    bigint,
    audio_input_tokens  bigint,
    audio_output_tokens bigint,
    provenance          text, -- reported, estimated, partial; NULL: no usage at all
    input_cost          bigint,
    output_cost         bigint,
    total_cost          bigint,
    price_version       text,
    raw_usage           text, -- the vendor's own JSON object
    PRIMARY KEY (request, ordinal)
);

-- Who owns what at the vendors.
CREATE TABLE resources (
    kind     text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    owner    text NOT NULL,
    provider text NOT NULL,
    created  bigint NOT NULL,
    PRIMARY KEY (kind, id)
);
