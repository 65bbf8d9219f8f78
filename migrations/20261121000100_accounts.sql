-- Who may do what: accounts, roles, sessions, keys. Written directly, never by the projection, so rows may reference
-- each other.

-- A person, or a program (a service account). BuyerId in the sale's tables is the same id; nothing there references
-- this table, because the projection must not depend on it.
CREATE TABLE users (
    user_id         uuid        NOT NULL,
    kind            text        NOT NULL,
    -- Of a person: lower case, unique. Of a service account: none.
    email           text,
    name            text        NOT NULL,
    -- argon2id in PHC format; null for who cannot log in with a password.
    password_hash   text,
    -- The organization that a service account works for; null: the deployment.
    organization_id uuid,
    status          text        NOT NULL DEFAULT 'active',
    -- Access tokens carry it; those with a smaller one are refused. Raised to end all access tokens of the account.
    generation      bigint      NOT NULL DEFAULT 0,
    -- When generation was raised: for as long as a token may live after it, processes remember it.
    generation_at   timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (user_id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_organization_fkey FOREIGN KEY (organization_id) REFERENCES organizations ON DELETE CASCADE,
    CONSTRAINT users_kind_check CHECK (kind IN ('person', 'service')),
    CONSTRAINT users_status_check CHECK (status IN ('active', 'deactivated')),
    CONSTRAINT users_name_check CHECK (name <> ''),
    CONSTRAINT users_email_check CHECK (email = lower(email) AND email LIKE '_%@_%'),
    CONSTRAINT users_person_check CHECK ((kind = 'person') = (email IS NOT NULL)),
    CONSTRAINT users_service_check CHECK (kind = 'service' OR organization_id IS NULL),
    CONSTRAINT users_password_check CHECK (kind = 'person' OR password_hash IS NULL),
    CONSTRAINT users_generation_check CHECK (generation >= 0)
);
-- Search is by prefix; any collation of the database.
CREATE INDEX users_by_email_prefix ON users (email text_pattern_ops);
CREATE INDEX users_by_generation_at ON users (generation_at);
CREATE INDEX users_by_organization ON users (organization_id, user_id) WHERE organization_id IS NOT NULL;

CREATE TABLE permissions (
    name    text NOT NULL,
    meaning text NOT NULL,
    CONSTRAINT permissions_pkey PRIMARY KEY (name),
    -- resource.action
    CONSTRAINT permissions_name_check CHECK (name ~ '^[a-z][a-z_]*\.[a-z][a-z_]*$')
);

CREATE TABLE roles (
    role_id    uuid        NOT NULL,
    name       text        NOT NULL,
    -- everywhere: assigned without an organization. organization: assigned within one.
    scope      text        NOT NULL,
    -- Seeded roles cannot be deleted or renamed; the server counts on their names.
    is_seeded  boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT roles_pkey PRIMARY KEY (role_id),
    CONSTRAINT roles_name_key UNIQUE (name),
    CONSTRAINT roles_name_check CHECK (name ~ '^[a-z][a-z0-9_]{0,49}$'),
    CONSTRAINT roles_scope_check CHECK (scope IN ('everywhere', 'organization')),
    -- What user_roles references, so that an assignment cannot have another scope than its role.
    CONSTRAINT roles_scope_key UNIQUE (role_id, scope)
);

CREATE TABLE role_permissions (
    role_id    uuid NOT NULL,
    permission text NOT NULL,
    CONSTRAINT role_permissions_pkey PRIMARY KEY (role_id, permission),
    CONSTRAINT role_permissions_role_fkey FOREIGN KEY (role_id) REFERENCES roles ON DELETE CASCADE,
    CONSTRAINT role_permissions_permission_fkey FOREIGN KEY (permission) REFERENCES permissions ON DELETE CASCADE
);

CREATE TABLE user_roles (
    user_id         uuid        NOT NULL,
    role_id         uuid        NOT NULL,
    scope           text        NOT NULL,
    organization_id uuid,
    -- Null: by the system itself (registration, the first admin).
    assigned_by     uuid,
    assigned_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_roles_key UNIQUE NULLS NOT DISTINCT (user_id, role_id, organization_id),
    CONSTRAINT user_roles_user_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    -- A role in use cannot be deleted.
    CONSTRAINT user_roles_role_fkey FOREIGN KEY (role_id, scope) REFERENCES roles (role_id, scope) ON DELETE RESTRICT,
    CONSTRAINT user_roles_organization_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations ON DELETE CASCADE,
    CONSTRAINT user_roles_assigned_by_fkey FOREIGN KEY (assigned_by) REFERENCES users ON DELETE SET NULL,
    CONSTRAINT user_roles_scope_check CHECK ((scope = 'organization') = (organization_id IS NOT NULL))
);
CREATE INDEX user_roles_by_role ON user_roles (role_id);

-- One login on one device: a family of refresh tokens.
CREATE TABLE sessions (
    session_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    -- End of the whole family, however often it is refreshed.
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    -- logout, password_changed, token_reused, deactivated
    revoked_for text,
    CONSTRAINT sessions_pkey PRIMARY KEY (session_id),
    CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    CONSTRAINT sessions_revoked_check CHECK ((revoked_at IS NULL) = (revoked_for IS NULL))
);
CREATE INDEX sessions_by_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_by_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Only digests: whoever reads this table cannot refresh with it.
CREATE TABLE refresh_tokens (
    digest     bytea       NOT NULL,
    session_id uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz,
    -- The child is a digest of salt and parent: who comes again with the parent in time gets the same child, and
    -- nobody without the parent can make it.
    child_salt bytea,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest),
    CONSTRAINT refresh_tokens_session_fkey FOREIGN KEY (session_id) REFERENCES sessions ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_digest_check CHECK (octet_length(digest) = 32),
    CONSTRAINT refresh_tokens_child_check
        CHECK ((rotated_at IS NULL) = (child_salt IS NULL) AND octet_length(child_salt) = 32)
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE password_resets (
    digest     bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT password_resets_pkey PRIMARY KEY (digest),
    CONSTRAINT password_resets_user_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    CONSTRAINT password_resets_digest_check CHECK (octet_length(digest) = 32)
);
CREATE INDEX password_resets_by_user ON password_resets (user_id);
CREATE INDEX password_resets_by_expiry ON password_resets (expires_at);

-- Messages to be sent. They name whom and what about, never a token: that is made when the message is sent.
CREATE TABLE mail_outbox (
    mail_id    uuid        NOT NULL,
    kind       text        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    -- Not sent after this.
    expires_at timestamptz NOT NULL,
    due_at     timestamptz NOT NULL,
    attempts   int         NOT NULL DEFAULT 0,
    CONSTRAINT mail_outbox_pkey PRIMARY KEY (mail_id),
    CONSTRAINT mail_outbox_user_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    CONSTRAINT mail_outbox_kind_check CHECK (kind IN ('password_reset', 'password_changed'))
);
CREATE INDEX mail_outbox_by_due ON mail_outbox (due_at, mail_id);
CREATE INDEX mail_outbox_by_user ON mail_outbox (user_id);

CREATE TABLE api_keys (
    api_key_id   uuid        NOT NULL,
    -- The service account that it speaks for.
    user_id      uuid        NOT NULL,
    name         text        NOT NULL,
    -- The visible part, for people to tell keys apart.
    prefix       text        NOT NULL,
    -- SHA-256 of the whole key.
    digest       bytea       NOT NULL,
    created_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (api_key_id),
    CONSTRAINT api_keys_digest_key UNIQUE (digest),
    CONSTRAINT api_keys_user_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    CONSTRAINT api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES users ON DELETE SET NULL,
    CONSTRAINT api_keys_digest_check CHECK (octet_length(digest) = 32),
    CONSTRAINT api_keys_name_check CHECK (name <> '')
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, api_key_id);

-- What a key may do at most; its account's roles limit it further.
CREATE TABLE api_key_scopes (
    api_key_id uuid NOT NULL,
    permission text NOT NULL,
    CONSTRAINT api_key_scopes_pkey PRIMARY KEY (api_key_id, permission),
    CONSTRAINT api_key_scopes_key_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys ON DELETE CASCADE,
    CONSTRAINT api_key_scopes_permission_fkey FOREIGN KEY (permission) REFERENCES permissions ON DELETE CASCADE
);

INSERT INTO permissions (name, meaning) VALUES
    ('tickets.buy', 'Hold, buy and see the own orders'),
    ('organizations.create', 'Make organizations'),
    ('organizations.read', 'See organizations'),
    ('events.read', 'See events as staff do'),
    ('events.edit', 'Create and edit events, ticket types and quotas'),
    ('events.publish', 'Publish, pause, resume, close and cancel events'),
    ('check_ins.create', 'Let ticket holders in'),
    ('users.read', 'See accounts'),
    ('users.deactivate', 'Deactivate and activate accounts'),
    ('roles.read', 'See roles and permissions'),
    ('roles.edit', 'Make, change and delete roles'),
    ('roles.assign', 'Give roles to accounts and take them'),
    ('service_accounts.read', 'See service accounts and their keys'),
    ('service_accounts.edit', 'Make and delete service accounts and their keys'),
    ('audit_log.read', 'Read the audit log'),
    ('tokens.introspect', 'Ask whom a token speaks for');

INSERT INTO roles (role_id, name, scope, is_seeded) VALUES
    ('019aa000-0000-7000-8000-000000000001', 'buyer', 'everywhere', true),
    ('019aa000-0000-7000-8000-000000000002', 'organizer', 'organization', true),
    ('019aa000-0000-7000-8000-000000000003', 'scanner', 'organization', true),
    ('019aa000-0000-7000-8000-000000000004', 'support', 'everywhere', true),
    ('019aa000-0000-7000-8000-000000000005', 'service', 'everywhere', true),
    ('019aa000-0000-7000-8000-000000000006', 'admin', 'everywhere', true);

INSERT INTO role_permissions (role_id, permission)
SELECT role_id, permission
FROM (VALUES
    ('buyer', ARRAY['tickets.buy']),
    ('organizer', ARRAY['organizations.read', 'events.read', 'events.edit', 'events.publish',
                        'roles.read', 'service_accounts.read', 'service_accounts.edit', 'audit_log.read']),
    ('scanner', ARRAY['check_ins.create']),
    ('support', ARRAY['organizations.read', 'events.read', 'users.read', 'roles.read']),
    ('service', ARRAY['tokens.introspect'])
) AS seed (role, granted)
JOIN roles ON roles.name = seed.role
CROSS JOIN unnest(seed.granted) AS permission;

-- The admin does everything but buy.
INSERT INTO role_permissions (role_id, permission)
SELECT role_id, permissions.name
FROM roles CROSS JOIN permissions
WHERE roles.name = 'admin' AND permissions.name <> 'tickets.buy';
