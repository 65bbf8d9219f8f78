-- Orders and payments as staff list them: the newest first, over all events or of one.
CREATE INDEX ticket_orders_by_id ON ticket_orders (order_id);
CREATE INDEX payments_by_id ON payments (order_id);
