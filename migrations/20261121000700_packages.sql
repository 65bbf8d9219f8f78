-- Packages: several inclusions sold as one line at one price. Written by staff and by the sale of packages, never by
-- the projection: what each event knows of a package order stands in its journal.

-- A draft may be deleted.
ALTER TABLE events
    DROP CONSTRAINT events_status_check,
    ADD CONSTRAINT events_status_check
        CHECK (status IN ('draft', 'published', 'on_sale', 'paused', 'closed', 'cancelled', 'deleted'));

CREATE TABLE packages (
    package_id      uuid        NOT NULL,
    organization_id uuid        NOT NULL,
    name            text        NOT NULL,
    currency        text        NOT NULL,
    -- What one package costs, with all fees and taxes.
    price_minor     bigint      NOT NULL,
    status          text        NOT NULL,
    -- Raised by each change: what If-Match names.
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CONSTRAINT packages_pkey PRIMARY KEY (package_id),
    CONSTRAINT packages_organization_fkey FOREIGN KEY (organization_id) REFERENCES organizations,
    CONSTRAINT packages_name_check CHECK (name <> ''),
    CONSTRAINT packages_currency_check CHECK (char_length(currency) = 3),
    CONSTRAINT packages_price_check CHECK (price_minor >= 0),
    CONSTRAINT packages_status_check CHECK (status IN ('draft', 'on_sale', 'closed')),
    CONSTRAINT packages_version_check CHECK (version > 0)
);
CREATE INDEX packages_by_organization ON packages (organization_id, package_id);

CREATE TABLE package_inclusions (
    package_id       uuid   NOT NULL,
    position         int    NOT NULL,
    event_id         uuid   NOT NULL,
    ticket_type_id   uuid   NOT NULL,
    -- Tickets in one package.
    quantity         int    NOT NULL,
    -- What each of these tickets contributes to the package's price.
    unit_share_minor bigint NOT NULL,
    CONSTRAINT package_inclusions_pkey PRIMARY KEY (package_id, position),
    CONSTRAINT package_inclusions_package_fkey FOREIGN KEY (package_id) REFERENCES packages ON DELETE CASCADE,
    CONSTRAINT package_inclusions_once UNIQUE (package_id, event_id, ticket_type_id),
    CONSTRAINT package_inclusions_quantity_check CHECK (quantity BETWEEN 1 AND 100),
    CONSTRAINT package_inclusions_share_check CHECK (unit_share_minor >= 0)
);
CREATE INDEX package_inclusions_by_event ON package_inclusions (event_id);

-- One purchase of packages, and the log of its saga. State:
--   holding      its legs are being held
--   paying       all are held; the provider decides
--   confirming   paid; its legs become orders
--   confirmed    all of them are
--   cancelling   its legs are given back, then its money
--   cancelled    nothing of it is left
-- Payment: as of payments (voiding and refunding are to be let go and given back), but never quarantined; null where
-- it costs nothing.
CREATE TABLE package_orders (
    package_order_id uuid        NOT NULL,
    package_id       uuid        NOT NULL,
    organization_id  uuid        NOT NULL,
    buyer_id         uuid        NOT NULL,
    -- As it was sold.
    name             text        NOT NULL,
    quantity         int         NOT NULL,
    currency         text        NOT NULL,
    total_minor      bigint      NOT NULL,
    state            text        NOT NULL,
    gateway          text,
    payment          text,
    reference        text,
    refunded_minor   bigint      NOT NULL DEFAULT 0,
    -- Why it was not sold, or by whom it was cancelled: an error code of the API, buyer or staff.
    reason           text,
    -- The event that refused.
    refused_by       uuid,
    -- Digest of the request's body, for repeats of its idempotency key.
    body_digest      bytea       NOT NULL,
    created_at       timestamptz NOT NULL,
    -- Before this the provider must have decided: its holds end soon after.
    decide_by        timestamptz NOT NULL,
    confirmed_at     timestamptz,
    ended_at         timestamptz,
    CONSTRAINT package_orders_pkey PRIMARY KEY (package_order_id),
    CONSTRAINT package_orders_quantity_check CHECK (quantity > 0),
    CONSTRAINT package_orders_total_check CHECK (total_minor >= 0),
    CONSTRAINT package_orders_refunded_check CHECK (refunded_minor BETWEEN 0 AND total_minor),
    CONSTRAINT package_orders_state_check CHECK (state IN
        ('holding', 'paying', 'confirming', 'confirmed', 'cancelling', 'cancelled')),
    CONSTRAINT package_orders_payment_check CHECK (payment IN
        ('pending', 'authorized', 'captured', 'voiding', 'voided', 'refunding', 'refunded', 'declined')),
    CONSTRAINT package_orders_free_check CHECK ((total_minor = 0) = (payment IS NULL)),
    CONSTRAINT package_orders_gateway_check CHECK ((payment IS NULL) = (gateway IS NULL))
);
CREATE INDEX package_orders_by_buyer ON package_orders (buyer_id, created_at, package_order_id);
CREATE INDEX package_orders_by_package ON package_orders (package_id) WHERE state <> 'cancelled';

-- The hold, and later order, that a package order has in each of its events. Its id is known before it is placed.
CREATE TABLE package_order_legs (
    package_order_id uuid NOT NULL,
    event_id         uuid NOT NULL,
    hold_id          uuid NOT NULL,
    -- [{ticket_type_id, quantity, unit_share_minor}]
    lines            jsonb NOT NULL,
    CONSTRAINT package_order_legs_pkey PRIMARY KEY (package_order_id, event_id),
    CONSTRAINT package_order_legs_order_fkey FOREIGN KEY (package_order_id) REFERENCES package_orders ON DELETE CASCADE,
    CONSTRAINT package_order_legs_hold_key UNIQUE (hold_id)
);
