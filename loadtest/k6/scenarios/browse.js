// Buyers who look around, hold, think, and pay.
import { sleep } from 'k6';
import { buy, insist, newKey } from '../lib/client.js';
import { config as read } from '../lib/config.js';
import { openModel } from '../lib/options.js';
import { anyBuyer, oneOf, setUp, takeStock } from '../lib/sale.js';
import { summary } from '../lib/summary.js';

const config = read({ rate: 50 });
export const options = openModel(config, { onsale_sales: ['count>0'] });

export function setup() {
  return setUp(config, { name: 'Browse' });
}

export default function browse(data) {
  const token = anyBuyer(data);
  const pages = [
    ['list events', `${data.address}/v1/events?limit=20`],
    ['event', data.event.url],
    ['availability', `${data.event.url}/availability`],
  ];
  for (const [name, url] of pages) {
    if (insist({ method: 'GET', url, name }) === null) {
      return;
    }
    sleep(Math.random() * 0.3);
  }
  const lines = oneOf(data.event.types[0]);
  const hold = insist({
    method: 'POST', url: `${data.event.url}/holds`, name: 'hold', token, key: newKey(data.run), body: { lines },
  });
  if (hold === null) {
    return;
  }
  sleep(Math.random() * 0.3);
  const checkout = {
    method: 'POST', url: `${data.address}/v1/holds/${hold.id}/checkout`, name: 'checkout', token,
    key: newKey(data.run), body: { payment_method: 'sim_approve' },
  };
  buy(checkout, Date.now());
}

export function teardown(data) {
  takeStock(data);
}

export const handleSummary = summary;
