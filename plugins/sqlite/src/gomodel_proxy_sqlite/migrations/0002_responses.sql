-- Responses and conversations that the gateway keeps for vendors who do not. Bodies are JSON.

CREATE TABLE responses (
    id           TEXT PRIMARY KEY NOT NULL,
    owner        TEXT NOT NULL,
    user_path    TEXT NOT NULL,
    provider     TEXT NOT NULL,
    model        TEXT NOT NULL,
    created      INTEGER NOT NULL,
    previous     TEXT, -- the response it goes on from
    conversation TEXT,
    deleted      INTEGER NOT NULL DEFAULT 0, -- 1: nobody sees it, but later turns go on from it
    input        BLOB NOT NULL, -- array of the items that this turn added
    response     BLOB NOT NULL
);

CREATE INDEX responses_by_time ON responses (created) WHERE NOT deleted;
CREATE INDEX responses_by_previous ON responses (previous) WHERE previous IS NOT NULL;

CREATE TABLE conversations (
    id        TEXT PRIMARY KEY NOT NULL,
    owner     TEXT NOT NULL,
    user_path TEXT NOT NULL,
    created   INTEGER NOT NULL,
    used      INTEGER NOT NULL, -- when it was last written to
    metadata  BLOB NOT NULL
);

CREATE INDEX conversations_by_use ON conversations (used);

CREATE TABLE conversation_items (
    place        INTEGER PRIMARY KEY AUTOINCREMENT, -- order within every conversation
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    id           TEXT NOT NULL,
    body         BLOB NOT NULL,
    UNIQUE (conversation, id)
);

CREATE INDEX conversation_items_in_order ON conversation_items (conversation, place);
