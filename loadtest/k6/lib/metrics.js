// What is counted: sales that were acknowledged, not requests.
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

export const sales = new Counter('onsale_sales');
export const tickets = new Counter('onsale_tickets');
// Of those who wanted to buy, who could.
export const served = new Rate('onsale_served');
// By code.
export const refusals = new Counter('onsale_refusals');
// What no script expects.
export const errors = new Counter('onsale_errors');
export const retries = new Counter('onsale_retries');
// Acknowledged orders that were not there a moment later.
export const lost = new Counter('onsale_lost_acknowledgements');
export const oversold = new Counter('onsale_oversold');
export const sold = new Gauge('onsale_server_sold');
export const capacity = new Gauge('onsale_server_capacity');
// Milliseconds from the beginning of the arrivals to the last sale: what goodput is measured over.
export const lastSale = new Gauge('onsale_last_sale');
// From the arrival to the acknowledgement, retries and pauses included.
export const saleTime = new Trend('onsale_sale_duration', true);

// Refusals of the sale. Each has a threshold that always holds, because k6 tells a summary only of submetrics that have one.
export const CODES = [
  'all_held', 'already_used', 'event_cancelled', 'hold_expired', 'idempotency_in_flight', 'insufficient_availability',
  'outcome_unknown', 'overloaded', 'payment_unavailable', 'rate_limited', 'sale_ended', 'sale_not_started',
  'sale_paused', 'sold_out', 'unavailable',
];
