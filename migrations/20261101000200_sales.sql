-- What was sold. event_id leads every key, so that these tables can be distributed by event. They are filled by the
-- projection at the speed of the sale, hence few indexes and no foreign keys. Each row belongs to one event's
-- journal; seq is the last record that changed the row.

CREATE TABLE holds (
    event_id    uuid        NOT NULL,
    hold_id     uuid        NOT NULL,
    buyer_id    uuid        NOT NULL,
    status      text        NOT NULL,
    -- [{"ticket_type_id", "quantity", "unit_price_minor"}]
    lines       jsonb       NOT NULL,
    currency    text        NOT NULL,
    total_minor bigint      NOT NULL,
    placed_at   timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    seq         bigint      NOT NULL,
    CONSTRAINT holds_pkey PRIMARY KEY (event_id, hold_id),
    CONSTRAINT holds_status_check CHECK (status IN ('held', 'confirmed', 'released', 'expired')),
    CONSTRAINT holds_total_check CHECK (total_minor >= 0)
) WITH (fillfactor = 90);

-- An order has the id of the hold that it was made from.
CREATE TABLE ticket_orders (
    event_id     uuid        NOT NULL,
    order_id     uuid        NOT NULL,
    buyer_id     uuid        NOT NULL,
    status       text        NOT NULL,
    currency     text        NOT NULL,
    total_minor  bigint      NOT NULL,
    confirmed_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    seq          bigint      NOT NULL,
    CONSTRAINT ticket_orders_pkey PRIMARY KEY (event_id, order_id),
    CONSTRAINT ticket_orders_status_check
        CHECK (status IN ('pending', 'paid', 'confirmed', 'cancelled', 'refunded', 'partially_refunded')),
    CONSTRAINT ticket_orders_total_check CHECK (total_minor >= 0)
) WITH (fillfactor = 95);
CREATE INDEX ticket_orders_by_buyer ON ticket_orders (buyer_id, order_id);

CREATE TABLE order_lines (
    event_id         uuid   NOT NULL,
    order_id         uuid   NOT NULL,
    ticket_type_id   uuid   NOT NULL,
    position         int    NOT NULL,
    quantity         bigint NOT NULL,
    unit_price_minor bigint NOT NULL,
    CONSTRAINT order_lines_pkey PRIMARY KEY (event_id, order_id, ticket_type_id),
    CONSTRAINT order_lines_quantity_check CHECK (quantity > 0),
    CONSTRAINT order_lines_unit_price_check CHECK (unit_price_minor >= 0)
);

-- The outbox of payment effects: a row in authorized is to be captured, in voiding to be voided, in refunding to be
-- refunded. The projection inserts and redirects rows, the payment worker settles them.
CREATE TABLE payments (
    event_id     uuid   NOT NULL,
    order_id     uuid   NOT NULL,
    gateway      text   NOT NULL,
    reference    text   NOT NULL,
    amount_minor bigint NOT NULL,
    currency     text   NOT NULL,
    status       text   NOT NULL,
    CONSTRAINT payments_pkey PRIMARY KEY (event_id, order_id),
    CONSTRAINT payments_amount_check CHECK (amount_minor >= 0),
    CONSTRAINT payments_status_check
        CHECK (status IN ('authorized', 'captured', 'voiding', 'voided', 'refunding', 'refunded'))
) WITH (fillfactor = 80);
CREATE INDEX payments_to_settle ON payments (order_id)
    WHERE status IN ('authorized', 'voiding', 'refunding');

CREATE TABLE tickets (
    event_id       uuid NOT NULL,
    ticket_id      uuid NOT NULL,
    order_id       uuid NOT NULL,
    ticket_type_id uuid NOT NULL,
    code           text NOT NULL,
    status         text NOT NULL,
    CONSTRAINT tickets_pkey PRIMARY KEY (event_id, ticket_id),
    CONSTRAINT tickets_code_key UNIQUE (event_id, code),
    CONSTRAINT tickets_code_check CHECK (code <> ''),
    CONSTRAINT tickets_status_check CHECK (status IN ('valid', 'used', 'cancelled', 'transferred'))
) WITH (fillfactor = 95);
CREATE INDEX tickets_by_order ON tickets (event_id, order_id);
