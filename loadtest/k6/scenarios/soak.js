// Hours of everything at a moderate rate. Tokens must last: `onsale token --load-test --ttl 86400 --count 5000`.
import abandon from './abandoned-carts.js';
import browse from './browse.js';
import { buy, newKey } from '../lib/client.js';
import { config as read } from '../lib/config.js';
import { openModel } from '../lib/options.js';
import { anyBuyer, purchase, setUp, takeStock } from '../lib/sale.js';
import { summary } from '../lib/summary.js';

const config = read({ rate: 20, seconds: 3600, capacity: 1000000 });
export const options = openModel(config, { onsale_sales: ['count>0'] });

export function setup() {
  return setUp(config, { name: 'Soak' });
}

export default function soak(data) {
  const chance = Math.random();
  if (chance < 0.5) {
    buy(purchase(data, anyBuyer(data), newKey(data.run), data.event.types[0]), Date.now());
  } else if (chance < 0.8) {
    browse(data);
  } else {
    abandon(data);
  }
}

export function teardown(data) {
  takeStock(data);
}

export const handleSummary = summary;
