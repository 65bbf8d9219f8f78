// What is counted: sales that were acknowledged, not requests.
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

export const sales = new Counter('onsale_sales');
export const tickets = new Counter('onsale_tickets');
// Of those who wanted to buy, who could.
export const served = new Rate('onsale_served');
// Tickets that were let in at the door.
export const admitted = new Counter('onsale_admitted');
// By code.
export const refusals = new Counter('onsale_refusals');
// What no script expects.
export const errors = new Counter('onsale_errors');
export const retries = new Counter('onsale_retries');
// Acknowledged orders that were not there a moment later.
export const lost = new Counter('onsale_lost_acknowledgements');
export const oversold = new Counter('onsale_oversold');
// Sales take from it what buyers were told, and the end adds what the server has sold: whether its average is negative is
// whether buyers were told of more than was sold. The only kind of metric that a threshold can sum up.
export const soldLessTold = new Trend('onsale_sold_less_told');
export const sold = new Gauge('onsale_server_sold');
export const capacity = new Gauge('onsale_server_capacity');
// Milliseconds from the beginning of the arrivals to the last sale: what goodput is measured over.
export const lastSale = new Gauge('onsale_last_sale');
// From the arrival to the acknowledgement, retries and pauses included.
export const saleTime = new Trend('onsale_sale_duration', true);

// Refusals of the sale.
export const CODES = [
  'all_held', 'event_cancelled', 'hold_expired', 'idempotency_in_flight', 'insufficient_availability', 'outcome_unknown',
  'overloaded', 'payment_unavailable', 'rate_limited', 'sale_ended', 'sale_not_started', 'sale_paused', 'sold_out',
  'unavailable',
];
// All that summaries tell.
export const TOLD_CODES = CODES.concat(['already_used']);
