-- Checkout as a saga, money in its parts, and the life of a ticket. Filled by the projection unless said otherwise.

ALTER TABLE events
    -- Nobody is let in before; null: no limit.
    ADD COLUMN check_in_opens_at timestamptz,
    -- Whether who went out may come in again.
    ADD COLUMN re_entry boolean NOT NULL DEFAULT false;

ALTER TABLE ticket_types
    ADD COLUMN unit_fee_minor   bigint  NOT NULL DEFAULT 0,
    ADD COLUMN tax_basis_points int     NOT NULL DEFAULT 0,
    -- Whether price and fee contain the tax, or it comes on top.
    ADD COLUMN tax_inclusive    boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT ticket_types_unit_fee_check CHECK (unit_fee_minor >= 0),
    ADD CONSTRAINT ticket_types_tax_check CHECK (tax_basis_points BETWEEN 0 AND 10000);

ALTER TABLE order_lines
    ADD COLUMN unit_fee_minor   bigint  NOT NULL DEFAULT 0,
    ADD COLUMN tax_basis_points int     NOT NULL DEFAULT 0,
    ADD COLUMN tax_inclusive    boolean NOT NULL DEFAULT true;

-- An order is pending from when its payment begins. Only the payment worker moves one to paid, before it has the sale
-- confirmed; the projection moves it to everything else.
ALTER TABLE ticket_orders ALTER COLUMN confirmed_at DROP NOT NULL;
ALTER TABLE ticket_orders
    ADD COLUMN placed_at timestamptz,
    ADD COLUMN fees_minor bigint NOT NULL DEFAULT 0,
    -- Contained in total_minor, whether it was in the prices or came on top.
    ADD COLUMN tax_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
    -- The package order that this is a leg of.
    ADD COLUMN package_order_id uuid,
    ADD COLUMN ended_at timestamptz,
    DROP CONSTRAINT ticket_orders_status_check,
    ADD CONSTRAINT ticket_orders_status_check CHECK (status IN
        ('pending', 'paid', 'confirmed', 'cancelled', 'expired', 'refunded', 'partially_refunded')),
    ADD CONSTRAINT ticket_orders_refunded_check CHECK (refunded_minor BETWEEN 0 AND total_minor);
UPDATE ticket_orders SET placed_at = confirmed_at;
ALTER TABLE ticket_orders ALTER COLUMN placed_at SET NOT NULL;
CREATE INDEX ticket_orders_by_package ON ticket_orders (package_order_id) WHERE package_order_id IS NOT NULL;

-- The state of a payment as the sale and its worker know it; a job of kind payment does what the state asks for:
--   pending       the provider decides; the job asks it
--   authorized    money is set aside for a confirmed order; to be captured
--   captured      taken
--   voiding       no order came of it, or the order was cancelled before the capture; to be let go (or given back)
--   voided        let go
--   refunding     the order was cancelled after the capture; what is left is to be given back
--   refunded      given back
--   declined      the provider refused
--   quarantined   the provider's amount or currency is not the order's; staff decide
DROP INDEX payments_to_settle;
ALTER TABLE payments ALTER COLUMN reference DROP NOT NULL;
ALTER TABLE payments
    ADD COLUMN started_at timestamptz,
    ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
    -- What the worker decided about a payment that needed a decision, such as reclaimed, or sold_out.
    ADD COLUMN decision text,
    DROP CONSTRAINT payments_status_check,
    ADD CONSTRAINT payments_status_check CHECK (status IN ('pending', 'authorized', 'captured', 'voiding', 'voided',
        'refunding', 'refunded', 'declined', 'quarantined')),
    ADD CONSTRAINT payments_refunded_check CHECK (refunded_minor BETWEEN 0 AND amount_minor);
CREATE INDEX payments_by_status ON payments (status, order_id)
    WHERE status IN ('pending', 'voiding', 'refunding', 'quarantined');
-- What waited for the former settlement.
INSERT INTO jobs (kind, subject_id, event_id, created_at, due_at)
SELECT 'payment', order_id, event_id, now(), now()
FROM payments WHERE status IN ('authorized', 'voiding', 'refunding');

ALTER TABLE tickets
    -- Raised by each transfer; the code in the QR names it.
    ADD COLUMN version int NOT NULL DEFAULT 1,
    ADD COLUMN owner_id uuid,
    -- The refund that took it back.
    ADD COLUMN refund_id uuid,
    DROP CONSTRAINT tickets_status_check,
    ADD CONSTRAINT tickets_status_check CHECK (status IN ('valid', 'used', 'cancelled', 'refunded')),
    ADD CONSTRAINT tickets_version_check CHECK (version > 0);
UPDATE tickets AS ticket SET owner_id = ticket_order.buyer_id
FROM ticket_orders AS ticket_order
WHERE ticket_order.event_id = ticket.event_id AND ticket_order.order_id = ticket.order_id;
ALTER TABLE tickets ALTER COLUMN owner_id SET NOT NULL;
CREATE INDEX tickets_by_owner ON tickets (owner_id, ticket_id);

-- Money that goes back for some of an order's tickets. The projection inserts it as pending, the payment worker
-- settles it.
CREATE TABLE refunds (
    event_id     uuid        NOT NULL,
    refund_id    uuid        NOT NULL,
    order_id     uuid        NOT NULL,
    buyer_id     uuid        NOT NULL,
    amount_minor bigint      NOT NULL,
    currency     text        NOT NULL,
    status       text        NOT NULL,
    -- The provider's word where it failed; for staff.
    failure      text,
    requested_at timestamptz NOT NULL,
    settled_at   timestamptz,
    CONSTRAINT refunds_pkey PRIMARY KEY (event_id, refund_id),
    CONSTRAINT refunds_amount_check CHECK (amount_minor >= 0),
    CONSTRAINT refunds_status_check CHECK (status IN ('pending', 'succeeded', 'failed'))
);
CREATE INDEX refunds_by_order ON refunds (event_id, order_id, refund_id);

-- Every scan that let somebody in or out.
CREATE TABLE check_ins (
    event_id   uuid        NOT NULL,
    seq        bigint      NOT NULL,
    ticket_id  uuid        NOT NULL,
    gate       text        NOT NULL,
    direction  text        NOT NULL,
    -- When it was scanned; of an offline gate, before it was recorded.
    scanned_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT check_ins_pkey PRIMARY KEY (event_id, seq),
    CONSTRAINT check_ins_direction_check CHECK (direction IN ('in', 'out'))
);
CREATE INDEX check_ins_by_ticket ON check_ins (event_id, ticket_id, seq);

INSERT INTO permissions (name, meaning) VALUES
    ('orders.read', 'See orders, payments and refunds'),
    ('orders.cancel', 'Cancel orders'),
    ('refunds.create', 'Give money back for tickets'),
    ('packages.edit', 'Create, change and delete packages');
INSERT INTO role_permissions (role_id, permission)
SELECT role_id, permission
FROM (VALUES
    ('admin', ARRAY['orders.read', 'orders.cancel', 'refunds.create', 'packages.edit']),
    ('organizer', ARRAY['orders.read', 'orders.cancel', 'refunds.create', 'packages.edit']),
    ('support', ARRAY['orders.read', 'orders.cancel', 'refunds.create'])
) AS seed (role, granted)
JOIN roles ON roles.name = seed.role
CROSS JOIN unnest(seed.granted) AS permission;
