-- Where the files of tickets are. A row is made before its file: so no file is ever lost track of, and making it again
-- writes the same place. One for each version of a ticket; those of former versions are taken away with their files.
CREATE TABLE ticket_files (
    event_id       uuid        NOT NULL,
    ticket_id      uuid        NOT NULL,
    version        int         NOT NULL,
    kind           text        NOT NULL,
    -- Random, and told to nobody but the store.
    object_key     text        NOT NULL,
    created_at     timestamptz NOT NULL,
    -- BLAKE3 of the file; null until it is stored.
    content_digest bytea,
    CONSTRAINT ticket_files_pkey PRIMARY KEY (event_id, ticket_id, version, kind),
    CONSTRAINT ticket_files_version_check CHECK (version > 0),
    CONSTRAINT ticket_files_kind_check CHECK (kind IN ('pdf', 'calendar')),
    CONSTRAINT ticket_files_digest_check CHECK (octet_length(content_digest) = 32)
) WITH (fillfactor = 80);
