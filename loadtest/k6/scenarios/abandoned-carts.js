// Buyers who hold and walk away, beside some who buy: what was left must come back to them.
import { sleep } from 'k6';
import { buy, insist, newKey } from '../lib/client.js';
import { config as read } from '../lib/config.js';
import { openModel } from '../lib/options.js';
import { anyBuyer, oneOf, purchase, setUp, takeStock } from '../lib/sale.js';
import { summary } from '../lib/summary.js';

const config = read({ rate: 50, capacity: 1000 });
export const options = openModel(config, { onsale_sales: ['count>0'] });

export function setup() {
  return setUp(config, { name: 'Abandoned carts' });
}

export default function cart(data) {
  const token = anyBuyer(data);
  const type = data.event.types[0];
  if (Math.random() < 0.25) {
    buy(purchase(data, token, newKey(data.run), type), Date.now());
    return;
  }
  const hold = insist({
    method: 'POST', url: `${data.event.url}/holds`, name: 'hold', token, key: newKey(data.run), body: { lines: oneOf(type) },
  });
  if (hold === null) {
    return;
  }
  sleep(Math.random() * 0.2);
  const url = `${data.address}/v1/holds/${hold.id}`;
  insist({ method: 'GET', url, name: 'look at the hold', token });
  if (Math.random() < 1 / 3) {
    insist({ method: 'DELETE', url, name: 'let go', token });
  }
}

export function teardown(data) {
  takeStock(data);
}

export const handleSummary = summary;
