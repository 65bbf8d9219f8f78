-- Organizations, and what is on sale. Everything but organizations is folded from the journal (write-behind), so
-- nothing here references another table by a foreign key: a projection must never fail on the order in which rows
-- arrive. Checks are a second line of defence behind the rules of the domain.

CREATE TABLE organizations (
    organization_id uuid        NOT NULL,
    name            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organizations_pkey PRIMARY KEY (organization_id),
    CONSTRAINT organizations_name_check CHECK (name <> '')
);

CREATE TABLE events (
    event_id             uuid        NOT NULL,
    -- The last four bytes of event_id as an unsigned number; unique in event_owner.
    route                bigint      NOT NULL,
    organization_id      uuid        NOT NULL,
    name                 text        NOT NULL,
    description          text        NOT NULL,
    venue                text        NOT NULL,
    starts_at            timestamptz NOT NULL,
    time_zone            text        NOT NULL,
    sales_open_at        timestamptz NOT NULL,
    sales_close_at       timestamptz NOT NULL,
    currency             text        NOT NULL,
    hold_duration_ms     bigint      NOT NULL,
    hold_lifetime_ms_max bigint      NOT NULL,
    buyer_limit          bigint,
    status               text        NOT NULL,
    -- Sequence of the last record that changed the definition: what If-Match names.
    definition_version   bigint      NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (event_id),
    CONSTRAINT events_name_check CHECK (name <> ''),
    CONSTRAINT events_route_check CHECK (route BETWEEN 0 AND 4294967295),
    CONSTRAINT events_window_check CHECK (sales_open_at <= sales_close_at),
    CONSTRAINT events_currency_check CHECK (char_length(currency) = 3),
    CONSTRAINT events_hold_duration_check
        CHECK (hold_duration_ms > 0 AND hold_lifetime_ms_max >= hold_duration_ms),
    CONSTRAINT events_buyer_limit_check CHECK (buyer_limit > 0),
    CONSTRAINT events_status_check
        CHECK (status IN ('draft', 'published', 'on_sale', 'paused', 'closed', 'cancelled')),
    CONSTRAINT events_definition_version_check CHECK (definition_version > 0)
);
CREATE INDEX events_by_start ON events (starts_at, event_id);
CREATE INDEX events_by_organization ON events (organization_id, starts_at, event_id);

-- Counters change with every batch of the projection: room on the page keeps their updates off the index.
CREATE TABLE quotas (
    event_id  uuid   NOT NULL,
    quota_id  uuid   NOT NULL,
    position  int    NOT NULL,
    name      text   NOT NULL,
    capacity  bigint NOT NULL,
    held      bigint NOT NULL DEFAULT 0,
    sold      bigint NOT NULL DEFAULT 0,
    available bigint NOT NULL GENERATED ALWAYS AS (capacity - held - sold) STORED,
    CONSTRAINT quotas_pkey PRIMARY KEY (event_id, quota_id),
    CONSTRAINT quotas_capacity_check CHECK (capacity >= 0),
    CONSTRAINT quotas_held_check CHECK (held >= 0),
    CONSTRAINT quotas_sold_check CHECK (sold >= 0),
    CONSTRAINT quotas_available_check CHECK (available >= 0)
) WITH (fillfactor = 50);

CREATE TABLE ticket_types (
    event_id         uuid   NOT NULL,
    ticket_type_id   uuid   NOT NULL,
    position         int    NOT NULL,
    quota_id         uuid   NOT NULL,
    name             text   NOT NULL,
    unit_price_minor bigint NOT NULL,
    held             bigint NOT NULL DEFAULT 0,
    sold             bigint NOT NULL DEFAULT 0,
    CONSTRAINT ticket_types_pkey PRIMARY KEY (event_id, ticket_type_id),
    CONSTRAINT ticket_types_unit_price_check CHECK (unit_price_minor >= 0),
    CONSTRAINT ticket_types_held_check CHECK (held >= 0),
    CONSTRAINT ticket_types_sold_check CHECK (sold >= 0)
) WITH (fillfactor = 50);
