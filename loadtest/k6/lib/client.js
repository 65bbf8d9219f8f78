// Requests, and what an answer means.
import exec from 'k6/execution';
import http from 'k6/http';
import { sleep } from 'k6';
import {
  CODES, errors, lastSale, lost, refusals, retries, saleTime, sales, served, soldLessTold, tickets,
} from './metrics.js';

// How long a client goes on sending one request under one key, in milliseconds.
const PATIENCE = 20000;
// Longest pause that a client takes from Retry-After, in seconds.
const RETRY_AFTER_MAX = 2;
// One sale of so many is read back.
const READ_BACK_OF = 50;
// Times that it is asked for while nothing is told of it.
const READ_BACK_TRIES = 5;

// A key that nobody has used: the run, the user, and a count.
let used = 0;
export function newKey(run) {
  used += 1;
  return `${run}-${exec.vu.idInTest}-${used}`;
}

// Random letters: the name of a run.
export function runName() {
  return `k6-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
}

// Sends once. `call`: method, url, name, and optionally body, key, token, ifMatch.
export function send(call) {
  const headers = {};
  if (call.token) {
    headers.Authorization = `Bearer ${call.token}`;
  }
  if (call.key) {
    headers['Idempotency-Key'] = call.key;
  }
  if (call.ifMatch) {
    headers['If-Match'] = call.ifMatch;
  }
  if (call.body !== undefined) {
    headers['Content-Type'] = 'application/json';
  }
  const body = call.body === undefined || typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
  return http.request(call.method, call.url, body === undefined ? null : body, {
    headers,
    tags: { name: call.name },
    timeout: '20s',
  });
}

// The body, or null where it is no JSON.
export function json(response) {
  try {
    return JSON.parse(response.body);
  } catch (_) {
    return null;
  }
}

// The problem's code, or the bare status; `no_answer` where nothing came.
export function codeOf(response) {
  if (response.status === 0) {
    return 'no_answer';
  }
  const problem = json(response);
  return (problem && problem.code) || `status_${response.status}`;
}

export function isYes(response) {
  return response.status >= 200 && response.status < 300;
}

// Whether the answer leaves open what became of the request.
function isOpen(response, code) {
  return [0, 429, 502, 503, 504].includes(response.status) || code === 'idempotency_in_flight';
}

// Sends until the outcome is told, always the same request under the same key. The body of a yes, or null; refusals
// are counted by code, and what is neither a refusal of the sale nor in `also` is an error.
export function insist(call, also) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const response = send(call);
    if (isYes(response)) {
      return json(response) || {};
    }
    const code = codeOf(response);
    const early = call.early && code === 'sale_not_started';
    if ((isOpen(response, code) || early) && Date.now() < deadline) {
      if (response.status !== 0) {
        refusals.add(1, { code });
      }
      retries.add(1);
      const told = Number(response.headers['Retry-After']);
      // Up to half as long again, so that a crowd does not come back at one moment; never sooner than told.
      sleep(Math.min(RETRY_AFTER_MAX, (told > 0 ? told : 0.1) * (1 + Math.random() / 2)));
      continue;
    }
    if (CODES.includes(code) || (also || []).includes(code)) {
      refusals.add(1, { code });
    } else {
      fail(call.name, code);
    }
    return null;
  }
}

// Counts what must not be.
export function fail(step, what) {
  errors.add(1, { step });
  console.error(`${step}: ${what}`);
}

// Insists on something that sells, and counts the sale. `begun`: when the buyer came, in milliseconds.
export function buy(call, begun, tags) {
  const order = insist(call);
  served.add(order !== null && order.status === 'confirmed');
  if (order !== null) {
    sell(call, order, begun, tags);
  }
  return order;
}

// Counts the sale of an order that was acknowledged now; one whose payment is under way is none.
export function sell(call, order, begun, tags) {
  if (order.status !== 'confirmed') {
    return;
  }
  const count = (order.tickets || []).length;
  if (count === 0) {
    fail(call.name, 'an order without its tickets');
  }
  sales.add(1, tags || {});
  tickets.add(count);
  soldLessTold.add(-count);
  lastSale.add(Date.now() - exec.scenario.startTime);
  saleTime.add(Date.now() - begun);
  if (Math.random() * READ_BACK_OF < 1) {
    readBack(call, order);
  }
}

// Asks for an order that was acknowledged. What the server does not say is an error, and no lost order.
function readBack(call, order) {
  const base = call.url.split('/v1/')[0];
  const question = { method: 'GET', url: `${base}/v1/orders/${order.id}`, name: 'read back', token: call.token };
  let response = send(question);
  for (let tries = 1; tries < READ_BACK_TRIES && isOpen(response, codeOf(response)); tries += 1) {
    sleep(0.2);
    response = send(question);
  }
  if (isYes(response)) {
    const again = json(response) || {};
    lost.add(again.id === order.id && (again.tickets || []).length === (order.tickets || []).length ? 0 : 1);
  } else if (response.status === 404) {
    lost.add(1);
  } else {
    fail('read back', codeOf(response));
  }
}
