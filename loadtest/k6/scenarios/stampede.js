// Everybody comes when the sale opens, and does not care how the server is.
import { sleep } from 'k6';
import { buy, newKey } from '../lib/client.js';
import { config as read } from '../lib/config.js';
import { openModel } from '../lib/options.js';
import { anyBuyer, purchase, setUp, takeStock } from '../lib/sale.js';
import { summary } from '../lib/summary.js';

const config = read({ rate: 500, capacity: 10000, users: 200 });
export const options = openModel(config, { onsale_sales: ['count>0'] });

// From setup to the opening, in seconds.
const LEAD = 2;

export function setup() {
  const data = setUp(config, { name: 'Stampede', opensIn: LEAD });
  // The first arrivals are there a moment before the doors open.
  sleep(Math.max(0, (data.opens - Date.now()) / 1000 - 0.1));
  return data;
}

export default function stampede(data) {
  const call = purchase(data, anyBuyer(data), newKey(data.run), data.event.types[0]);
  buy(call, Date.now());
}

export function teardown(data) {
  takeStock(data);
}

export const handleSummary = summary;
