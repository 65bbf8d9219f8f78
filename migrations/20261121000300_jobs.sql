-- The one queue of background work. A job is named by its kind and what it is about, so asking for it again while it
-- waits changes nothing, and asking while it is at work has it run once more.

CREATE TABLE jobs (
    kind       text        NOT NULL,
    -- What the job is about: an order, a ticket, a message.
    subject_id uuid        NOT NULL,
    -- The subject's event, where it has one.
    event_id   uuid,
    -- What the subject does not tell by itself. Never a token or an address.
    payload    jsonb,
    created_at timestamptz NOT NULL,
    -- Not before this. Whoever claims a job moves it to where its claim ends.
    due_at     timestamptz NOT NULL,
    attempts   int         NOT NULL DEFAULT 0,
    -- Raised each time the job is asked for: what changed while it was at work is not lost.
    version    bigint      NOT NULL DEFAULT 1,
    -- When it was given up; an admin may have it tried again.
    dead_at    timestamptz,
    last_error text,
    CONSTRAINT jobs_pkey PRIMARY KEY (kind, subject_id),
    CONSTRAINT jobs_kind_check CHECK (kind IN ('payment', 'ticket_files', 'mail', 'package')),
    CONSTRAINT jobs_attempts_check CHECK (attempts >= 0)
) WITH (fillfactor = 70);
CREATE INDEX jobs_by_due ON jobs (kind, due_at) WHERE dead_at IS NULL;
CREATE INDEX jobs_dead ON jobs (dead_at, subject_id) WHERE dead_at IS NOT NULL;

INSERT INTO permissions (name, meaning) VALUES
    ('jobs.read', 'See background jobs'),
    ('jobs.retry', 'Have background jobs tried again that were given up');
INSERT INTO role_permissions (role_id, permission)
SELECT role_id, permission
FROM roles CROSS JOIN unnest(ARRAY['jobs.read', 'jobs.retry']) AS permission
WHERE roles.name = 'admin';
INSERT INTO role_permissions (role_id, permission)
SELECT role_id, 'jobs.read' FROM roles WHERE roles.name = 'support';
