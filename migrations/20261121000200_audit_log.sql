-- What staff did and what was refused them: append-only, each entry chained to the one before by its hash.

CREATE TABLE audit_log (
    seq             bigint      NOT NULL,
    at              timestamptz NOT NULL,
    -- Null: nobody who could be told (the command line, an unknown caller).
    actor_id        uuid,
    -- person, service, system
    actor_kind      text        NOT NULL,
    -- The API key that the actor came with.
    api_key_id      uuid,
    -- resource.action, as permissions are named, or what the system did.
    action          text        NOT NULL,
    -- asked, done, refused
    outcome         text        NOT NULL,
    -- What it was done to: its kind and id.
    target_kind     text,
    target_id       text,
    organization_id uuid,
    request_id      text,
    -- The caller's network address.
    address         text,
    -- json, not jsonb: the text is hashed as it stands.
    before          json,
    after           json,
    previous_hash   bytea       NOT NULL,
    hash            bytea       NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (seq),
    CONSTRAINT audit_log_seq_check CHECK (seq > 0),
    CONSTRAINT audit_log_actor_kind_check CHECK (actor_kind IN ('person', 'service', 'system')),
    CONSTRAINT audit_log_outcome_check CHECK (outcome IN ('asked', 'done', 'refused')),
    CONSTRAINT audit_log_hash_check CHECK (octet_length(previous_hash) = 32 AND octet_length(hash) = 32)
);
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, seq);
CREATE INDEX audit_log_by_target ON audit_log (target_id, seq);
CREATE INDEX audit_log_by_organization ON audit_log (organization_id, seq);

-- The last entry. Whoever appends locks this row, so that entries are gapless; a cut tail shows against it.
CREATE TABLE audit_log_head (
    one  boolean NOT NULL DEFAULT true,
    seq  bigint  NOT NULL,
    hash bytea   NOT NULL,
    CONSTRAINT audit_log_head_pkey PRIMARY KEY (one),
    CONSTRAINT audit_log_head_one_check CHECK (one),
    CONSTRAINT audit_log_head_hash_check CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);
INSERT INTO audit_log_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Against mistakes; against somebody who may drop triggers, the chain.
CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();
