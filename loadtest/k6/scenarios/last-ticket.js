// Each second a single ticket, and all who come in that second want it.
import exec from 'k6/execution';
import { buy, newKey } from '../lib/client.js';
import { config as read } from '../lib/config.js';
import { openModel } from '../lib/options.js';
import { anyBuyer, purchase, setUp, takeStock } from '../lib/sale.js';
import { summary } from '../lib/summary.js';

const config = read({ rate: 100 });
const ROUNDS = Math.max(1, Math.min(20, Math.round(config.seconds)));
const winners = { onsale_sales: ['count>0'] };
for (let round = 0; round < ROUNDS; round += 1) {
  winners[`onsale_sales{round:${round}}`] = ['count<=1'];
}
export const options = openModel(config, winners);

export function setup() {
  const quotas = Array.from({ length: ROUNDS }, (_, round) => [`Round ${round + 1}`, 1]);
  return setUp(config, { name: 'Last ticket', quotas });
}

export default function race(data) {
  const share = (Date.now() - exec.scenario.startTime) / 1000 / config.seconds;
  const round = Math.min(ROUNDS - 1, Math.max(0, Math.floor(share * ROUNDS)));
  const call = purchase(data, anyBuyer(data), newKey(data.run), data.event.types[round]);
  buy(call, Date.now(), { round: String(round) });
}

export function teardown(data) {
  takeStock(data);
}

export const handleSummary = summary;
