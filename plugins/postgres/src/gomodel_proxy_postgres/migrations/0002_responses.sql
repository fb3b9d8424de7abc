-- Responses and conversations that the gateway keeps for vendors who do not. Bodies are JSON.

CREATE TABLE responses (
    id           text COLLATE "C" PRIMARY KEY,
    owner        text NOT NULL,
    user_path    text NOT NULL,
    provider     text NOT NULL,
    model        text NOT NULL,
    created      bigint NOT NULL,
    previous     text COLLATE "C", -- the response it goes on from
    conversation text,
    deleted      boolean NOT NULL DEFAULT false, -- nobody sees it, but later turns go on from it
    input        bytea NOT NULL, -- array of the items that this turn added
    response     bytea NOT NULL
);

CREATE INDEX responses_by_time ON responses (created) WHERE NOT deleted;
CREATE INDEX responses_deleted ON responses (created) WHERE deleted;
CREATE INDEX responses_by_previous ON responses (previous) WHERE previous IS NOT NULL;

CREATE TABLE conversations (
    id        text COLLATE "C" PRIMARY KEY,
    owner     text NOT NULL,
    user_path text NOT NULL,
    created   bigint NOT NULL,
    used      bigint NOT NULL, -- when it was last written to
    metadata  bytea NOT NULL
);

CREATE INDEX conversations_by_use ON conversations (used);

CREATE TABLE conversation_items (
    place        bigint GENERATED ALWAYS AS IDENTITY, -- order within every conversation
    conversation text COLLATE "C" NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    id           text COLLATE "C" NOT NULL,
    body         bytea NOT NULL,
    PRIMARY KEY (conversation, place)
);

-- Ids are unique, because whoever adds items holds their conversation.
CREATE INDEX conversation_items_by_id ON conversation_items (conversation, hashtextextended(id, 0));
