//! What is done to the tables, and what the auditor must say of it.

/// Which table, what is done to it, the invariant that is broken, and what the finding must name.
pub(crate) type Damage = (&'static str, &'static str, &'static str, &'static str);

pub(crate) const ORDERS: &[Damage] = &[
    (
        "ticket_orders",
        "DELETE FROM ticket_orders WHERE status = 'pending'",
        "I8",
        "missing",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'confirmed' WHERE status = 'expired'",
        "I13",
        "ticket_orders",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'paid' WHERE status = 'confirmed'",
        "I13",
        "ticket_orders",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'confirmed' WHERE status = 'cancelled'",
        "I13",
        "cancelled",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'confirmed' WHERE status = 'refunded'",
        "I13",
        "refunded",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET total_minor = total_minor + 1 WHERE fees_minor > 0",
        "I12",
        "total_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET fees_minor = fees_minor - 1 WHERE fees_minor > 0",
        "I12",
        "fees_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET tax_minor = 0 WHERE tax_minor > 0",
        "I12",
        "tax_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET refunded_minor = 0 WHERE refunded_minor > 0",
        "I12",
        "refunded_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET currency = 'USD' WHERE status = 'confirmed'",
        "I12",
        "USD",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET package_order_id = NULL",
        "I8",
        "package_order_id",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET ended_at = NULL",
        "I8",
        "ended_at_ms",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET buyer_id = gen_random_uuid()",
        "I8",
        "buyer_id",
    ),
    (
        "order_lines",
        "DELETE FROM order_lines WHERE unit_fee_minor > 0",
        "I12",
        "order_lines",
    ),
    (
        "order_lines",
        "UPDATE order_lines SET quantity = quantity + 1",
        "I12",
        "order_lines",
    ),
    (
        "order_lines",
        "UPDATE order_lines SET tax_inclusive = true",
        "I12",
        "tax_inclusive",
    ),
];

pub(crate) const MONEY: &[Damage] = &[
    (
        "payments",
        "DELETE FROM payments WHERE status = 'captured'",
        "I12",
        "missing",
    ),
    (
        "payments",
        "UPDATE payments SET amount_minor = amount_minor + 1 WHERE status = 'captured'",
        "I12",
        "amount_minor",
    ),
    (
        "payments",
        "UPDATE payments SET currency = 'USD' WHERE status = 'captured'",
        "I12",
        "USD",
    ),
    (
        "payments",
        "UPDATE payments SET reference = 'another' WHERE status = 'captured'",
        "I12",
        "another",
    ),
    (
        "payments",
        "UPDATE payments SET gateway = 'midtrans' WHERE status = 'captured'",
        "I12",
        "midtrans",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'captured' WHERE status = 'voiding'",
        "I12",
        "captured",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'captured' WHERE status = 'pending'",
        "I12",
        "captured",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'captured' WHERE status = 'declined'",
        "I12",
        "captured",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'voided' WHERE status = 'captured'",
        "I12",
        "voided",
    ),
    (
        "payments",
        "UPDATE payments SET refunded_minor = 1 WHERE status = 'captured'",
        "I12",
        "gave back another amount",
    ),
    (
        "payments",
        "UPDATE payments SET refunded_minor = 0, status = 'refunded' WHERE status = 'captured'",
        "I12",
        "gave back",
    ),
    (
        "refunds",
        "DELETE FROM refunds WHERE amount_minor > 0",
        "I12",
        "refunds",
    ),
    (
        "refunds",
        "UPDATE refunds SET amount_minor = amount_minor + 1",
        "I12",
        "refunds",
    ),
    (
        "refunds",
        "UPDATE refunds SET order_id = gen_random_uuid()",
        "I12",
        "refunds",
    ),
    (
        "refunds",
        "UPDATE refunds SET status = 'succeeded' WHERE status = 'pending'",
        "I12",
        "is_settled: false",
    ),
    (
        "refunds",
        "UPDATE refunds SET status = 'succeeded', settled_at = now() WHERE status = 'pending'",
        "I12",
        "gave back",
    ),
    ("jobs", "DELETE FROM jobs WHERE kind = 'payment'", "I12", "no job"),
];

pub(crate) const DOOR: &[Damage] = &[
    ("tickets", "DELETE FROM tickets WHERE status = 'valid'", "I15", "missing"),
    ("tickets", "UPDATE tickets SET status = 'valid' WHERE status = 'used'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET status = 'used' WHERE status = 'valid'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET status = 'valid' WHERE status = 'cancelled'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET status = 'valid' WHERE status = 'refunded'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET version = 1 WHERE version > 1", "I15", "version"),
    ("tickets", "UPDATE tickets SET owner_id = gen_random_uuid() WHERE version > 1", "I15", "owner_id"),
    ("tickets", "UPDATE tickets SET refund_id = NULL WHERE refund_id IS NOT NULL", "I15", "refund_id"),
    ("tickets", "UPDATE tickets SET code = 'x' || code WHERE version > 1", "I15", "code"),
    (
        "tickets",
        "INSERT INTO tickets SELECT event_id, gen_random_uuid(), order_id, ticket_type_id, code || 'x', status,
             version, owner_id, refund_id FROM tickets WHERE status = 'valid' LIMIT 1",
        "I15",
        "follows from no record",
    ),
    ("check_ins", "DELETE FROM check_ins WHERE direction = 'out'", "I15", "check_ins"),
    ("check_ins", "UPDATE check_ins SET direction = 'in'", "I15", "check_ins"),
    ("check_ins", "UPDATE check_ins SET gate = 'South'", "I15", "South"),
    (
        "check_ins",
        "INSERT INTO check_ins SELECT event_id, seq + 100000, ticket_id, gate, direction, scanned_at, recorded_at
             FROM check_ins LIMIT 1",
        "I15",
        "follows from no record",
    ),
];
