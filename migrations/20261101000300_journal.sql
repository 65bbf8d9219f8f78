-- The journal, who may write it, and how far it has been projected.

-- One row for each group-committed batch of an event's records. The payload is never searched or compressed:
-- EXTERNAL keeps it out of line without spending time on it.
CREATE TABLE journal (
    event_id     uuid        NOT NULL,
    first_seq    bigint      NOT NULL,
    last_seq     bigint      NOT NULL,
    epoch        bigint      NOT NULL,
    chain        bytea       NOT NULL,
    payload      bytea       NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT journal_pkey PRIMARY KEY (event_id, first_seq),
    CONSTRAINT journal_seq_check CHECK (first_seq > 0 AND last_seq >= first_seq),
    CONSTRAINT journal_chain_check CHECK (octet_length(chain) = 32)
);
ALTER TABLE journal ALTER COLUMN payload SET STORAGE EXTERNAL;

-- A running process. Its lease only says when others may take its events over; what makes that safe is the epoch.
CREATE TABLE nodes (
    node_id     uuid        NOT NULL,
    name        text        NOT NULL,
    lease_until timestamptz NOT NULL,
    CONSTRAINT nodes_pkey PRIMARY KEY (node_id),
    CONSTRAINT nodes_name_key UNIQUE (name)
);

-- The row that every write to the journal compares and swaps. journal is 'postgres' or 'local:<journal id>'; with
-- a local journal, last_seq stays at 0 here (the local journal knows it) and node_id is null.
CREATE TABLE event_owner (
    event_id uuid   NOT NULL,
    route    bigint NOT NULL,
    epoch    bigint NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0,
    journal  text   NOT NULL,
    node_id  uuid,
    CONSTRAINT event_owner_pkey PRIMARY KEY (event_id),
    CONSTRAINT event_owner_route_key UNIQUE (route),
    CONSTRAINT event_owner_route_check CHECK (route BETWEEN 0 AND 4294967295),
    CONSTRAINT event_owner_epoch_check CHECK (epoch > 0),
    CONSTRAINT event_owner_last_seq_check CHECK (last_seq >= 0),
    CONSTRAINT event_owner_journal_check CHECK (journal = 'postgres' OR journal LIKE 'local:%')
) WITH (fillfactor = 50);

-- The latest state of an event, so that recovery need not start from the first record.
CREATE TABLE snapshots (
    event_id uuid   NOT NULL,
    seq      bigint NOT NULL,
    chain    bytea  NOT NULL,
    state    bytea  NOT NULL,
    -- Covers the whole row: the chain covers entries, not states.
    digest   bytea  NOT NULL,
    CONSTRAINT snapshots_pkey PRIMARY KEY (event_id),
    CONSTRAINT snapshots_seq_check CHECK (seq > 0),
    CONSTRAINT snapshots_chain_check CHECK (octet_length(chain) = 32)
);
ALTER TABLE snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

-- How far an event's records have been projected.
CREATE TABLE watermarks (
    event_id uuid   NOT NULL,
    seq      bigint NOT NULL,
    CONSTRAINT watermarks_pkey PRIMARY KEY (event_id),
    CONSTRAINT watermarks_seq_check CHECK (seq > 0)
) WITH (fillfactor = 50);
