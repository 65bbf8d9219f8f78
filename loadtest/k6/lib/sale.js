// The organizer's part: makes what is sold, over the API; and what the server says of it afterwards.
import { sleep } from 'k6';
import { admin, adminToken, fileTokens } from './config.js';
import { codeOf, isYes, json, runName, send } from './client.js';
import { capacity, oversold, sold, soldLessTold } from './metrics.js';

// Accounts that a run without a token file registers: their passwords take the server a while.
const REGISTERED_MAX = 20;

// Sends what must succeed.
function must(call) {
  for (let tries = 0; tries < 20; tries += 1) {
    const response = send(Object.assign({ name: 'setup' }, call));
    if (isYes(response)) {
      return response;
    }
    if (response.status !== 0 && response.status !== 429 && response.status !== 503) {
      throw new Error(`${call.method} ${call.url}: ${codeOf(response)}: ${response.body}`);
    }
    sleep(Number(response.headers['Retry-After']) || 0.2);
  }
  throw new Error(`${call.method} ${call.url}: no answer`);
}

function staffToken(address) {
  if (adminToken) {
    return adminToken;
  }
  if (!admin) {
    throw new Error('nobody to set the event up: give ONSALE_LOAD_ADMIN_FILE or ONSALE_LOAD_ADMIN_TOKEN');
  }
  const body = { email: admin.email, password: admin.password };
  return json(must({ method: 'POST', url: `${address}/v1/auth/login`, body })).access_token;
}

// Makes an event and publishes it. `plan`: name, quotas as [name, capacity], opensIn and holdSeconds in seconds.
function makeEvent(address, token, run, plan) {
  let keys = 0;
  const post = (path, body, ifMatch) => {
    keys += 1;
    const key = `${run}-setup-${plan.name}-${keys}`.replace(/ /g, '-');
    return json(must({ method: 'POST', url: `${address}${path}`, body, token, ifMatch, key }));
  };
  const at = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const organization = post('/v1/admin/organizations', { name: 'Load test' });
  const event = post('/v1/admin/events', {
    organization_id: organization.id,
    name: plan.name,
    starts_at: at(30 * 86400),
    time_zone: 'Europe/Berlin',
    sales_window: { opens_at: at(plan.opensIn), closes_at: at(7 * 86400) },
    currency: 'EUR',
    hold_duration_seconds: plan.holdSeconds,
    hold_lifetime_seconds_max: plan.holdSeconds * 3,
  });
  const path = `/v1/admin/events/${event.id}`;
  const tag = () => must({ method: 'GET', url: `${address}${path}`, token }).headers.Etag;
  const types = [];
  for (const [name, units] of plan.quotas) {
    const quotas = post(`${path}/quotas`, { name, capacity: units }, tag()).quotas;
    const kind = { name, quota_id: quotas[quotas.length - 1].id, price: { amount: 4500, currency: 'EUR' } };
    const made = post(`${path}/ticket-types`, kind, tag()).ticket_types;
    types.push(made[made.length - 1].id);
  }
  post(`${path}/publish`, undefined, tag());
  return { id: event.id, url: `${address}/v1/events/${event.id}`, types };
}

function buyers(address, run, count) {
  if (fileTokens.length > 0) {
    return [];
  }
  const tokens = [];
  for (let number = 0; number < Math.min(count, REGISTERED_MAX); number += 1) {
    const body = {
      email: `${run}-${number}@load.example`, password: `${runName()} ${runName()}`, name: 'A buyer',
    };
    tokens.push(json(must({ method: 'POST', url: `${address}/v1/auth/register`, body })).access_token);
  }
  return tokens;
}

// What setup() hands to every user. The sale of `plan` opens `opensIn` seconds later, 0 for at once.
export function setUp(config, plan) {
  const run = runName();
  const token = staffToken(config.address);
  const tokens = buyers(config.address, run, config.users);
  const opensIn = plan.opensIn || -3600;
  const opens = Date.now() + opensIn * 1000;
  const event = makeEvent(config.address, token, run, {
    name: plan.name, quotas: plan.quotas || [['Floor', config.capacity]], opensIn, holdSeconds: config.holdSeconds,
  });
  return { run, address: config.address, staff: token, tokens, event, opens };
}

// One of the buyers.
export function anyBuyer(data) {
  const tokens = fileTokens.length > 0 ? fileTokens : data.tokens;
  return tokens[Math.floor(Math.random() * tokens.length)];
}

// One ticket.
export function oneOf(type) {
  return [{ ticket_type_id: type, quantity: 1 }];
}

// A purchase in one call.
export function purchase(data, token, key, type, quantity) {
  const lines = [{ ticket_type_id: type, quantity: quantity || 1 }];
  return {
    method: 'POST', url: `${data.event.url}/purchases`, name: 'purchase', token, key, early: true,
    body: { lines, payment_method: 'sim_approve' },
  };
}

// Counts what the server has sold. Every ticket type has a quota of its own.
export function takeStock(data) {
  const counts = json(must({ method: 'GET', url: `${data.event.url}/availability` }));
  let total = 0;
  let units = 0;
  for (const kind of counts.ticket_types) {
    total += kind.sold;
    units += kind.capacity;
    oversold.add(Math.max(0, kind.sold + kind.held - kind.capacity));
  }
  sold.add(total);
  soldLessTold.add(total);
  capacity.add(units);
}
