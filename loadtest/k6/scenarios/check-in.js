// The doors open: tickets that were sold before are shown at the gates, some of them twice.
import exec from 'k6/execution';
import { fail, insist, newKey } from '../lib/client.js';
import { config as read } from '../lib/config.js';
import { admitted as letIn } from '../lib/metrics.js';
import { openModel } from '../lib/options.js';
import { anyBuyer, purchase, setUp, takeStock } from '../lib/sale.js';
import { summary } from '../lib/summary.js';

const config = read({ rate: 50, capacity: 2000 });
// Tickets of one order: the server's limit.
const ORDER = 100;
export const options = openModel(config, { onsale_admitted: ['count>0'] });

export function setup() {
  const data = setUp(config, { name: 'Doors' });
  const codes = [];
  while (codes.length < config.capacity) {
    const quantity = Math.min(ORDER, config.capacity - codes.length);
    const order = insist(purchase(data, anyBuyer(data), newKey(data.run), data.event.types[0], quantity));
    if (order === null) {
      throw new Error('cannot sell the tickets for the doors');
    }
    order.tickets.forEach((ticket) => codes.push(ticket.code));
  }
  return Object.assign(data, { codes });
}

// A ticket that was never shown has no reason to be used: told so, that is an error.
function scan(data, code, gate, isNew) {
  const nonce = newKey(data.run);
  const body = { event_id: data.event.id, code, gate, nonce };
  const call = { method: 'POST', url: `${data.address}/v1/check-ins`, name: 'scan', token: data.staff, body };
  const answer = insist(call, isNew ? [] : ['already_used']);
  letIn.add(answer === null ? 0 : 1);
  return answer;
}

export default function gate(data) {
  const turn = exec.scenario.iterationInTest;
  const code = data.codes[turn % data.codes.length];
  const isNew = turn < data.codes.length;
  const admitted = scan(data, code, 'north', isNew);
  if (admitted !== null && !isNew) {
    fail('scan', 'a used ticket was let in');
  }
  if (admitted !== null && Math.random() < 0.25 && scan(data, code, 'south', false) !== null) {
    fail('scan', 'a used ticket was let in');
  }
}

export function teardown(data) {
  takeStock(data);
}

export const handleSummary = summary;
