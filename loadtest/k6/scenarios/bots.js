// Programs that repeat keys, change bodies under a key, send junk, and never wait.
import { buy, codeOf, fail, isYes, json, newKey, sell, send } from '../lib/client.js';
import { config as read } from '../lib/config.js';
import { CODES, refusals } from '../lib/metrics.js';
import { openModel } from '../lib/options.js';
import { anyBuyer, purchase, setUp, takeStock } from '../lib/sale.js';
import { summary } from '../lib/summary.js';

const config = read({ rate: 50 });
export const options = openModel(config, { onsale_sales: ['count>0'] });

export function setup() {
  return setUp(config, { name: 'Bots' });
}

// Sends what must be refused with one of these statuses; "not now" is always allowed.
function mustRefuse(call, statuses) {
  const response = send(call);
  if (![429, 503].concat(statuses).includes(response.status)) {
    fail(call.name, `${codeOf(response)} where ${statuses} was due`);
  }
}

function repeat(data) {
  const call = purchase(data, anyBuyer(data), newKey(data.run), data.event.types[0]);
  const order = buy(call, Date.now());
  if (order === null) {
    return;
  }
  for (let times = 0; times < 3; times += 1) {
    const again = send(Object.assign({}, call, { name: 'repeat' }));
    if (isYes(again)) {
      const replayed = again.headers['Idempotency-Replayed'] === 'true';
      if (!replayed || again.body !== undefined && JSON.parse(again.body).id !== order.id) {
        fail('repeat', 'another answer under the same key');
      }
    } else if (![429, 503].includes(again.status) && codeOf(again) !== 'idempotency_in_flight') {
      fail('repeat', codeOf(again));
    }
  }
  const other = { lines: [], payment_method: 'sim_approve' };
  mustRefuse(Object.assign({}, call, { name: 'repeat with another body', body: other }), [422]);
}

function hammer(data) {
  for (let times = 0; times < 8; times += 1) {
    const call = Object.assign(purchase(data, anyBuyer(data), newKey(data.run), data.event.types[0]), { name: 'hammer' });
    const begun = Date.now();
    const response = send(call);
    const code = codeOf(response);
    if (isYes(response)) {
      sell(call, json(response) || {}, begun);
    } else if (CODES.includes(code)) {
      refusals.add(1, { code });
    } else {
      fail('hammer', code);
    }
  }
}

function junk(data) {
  const call = purchase(data, anyBuyer(data), newKey(data.run), data.event.types[0]);
  const bodies = [
    ['{"lines":', [400]],
    ['null', [400, 422]],
    [`${'['.repeat(5000)}1${']'.repeat(5000)}`, [400, 422]],
    [JSON.stringify({ lines: [{ ticket_type_id: data.event.types[0], quantity: -1 }], payment_method: 'sim_approve' }), [400, 422]],
    [JSON.stringify({ lines: 'x'.repeat(20000) }), [413]],
  ];
  for (const [body, statuses] of bodies) {
    mustRefuse(Object.assign({}, call, { name: 'junk', body }), statuses);
  }
  mustRefuse(Object.assign({}, call, { name: 'no key', key: undefined }), [400]);
  mustRefuse(Object.assign({}, call, { name: 'no token', token: undefined }), [401]);
}

export default function bot(data) {
  [repeat, hammer, junk][Math.floor(Math.random() * 3)](data);
}

export function teardown(data) {
  takeStock(data);
}

export const handleSummary = summary;
