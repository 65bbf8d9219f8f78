// Options that the scripts share: an open model, in which arrivals do not wait for answers.
import { TOLD_CODES } from './metrics.js';

// Up to the rate in a fifth of the time, and on at the rate. An arrival for which no user is free is dropped, and a
// dropped one is in no latency, so it fails the run.
export function openModel(config, more) {
  const ramp = Math.max(1, Math.round(config.seconds / 5));
  const thresholds = {
    dropped_iterations: [`count<=${config.droppedMax}`],
    onsale_errors: ['count<1'],
    onsale_lost_acknowledgements: ['count<1'],
    onsale_oversold: ['count<1'],
    onsale_sold_less_told: ['avg>=0'],
  };
  // They always hold: k6 tells a summary only of submetrics that have a threshold.
  for (const code of TOLD_CODES) {
    thresholds[`onsale_refusals{code:${code}}`] = ['count>=0'];
  }
  if (config.p99 > 0) {
    thresholds.onsale_sale_duration = [`p(99)<=${config.p99}`];
  }
  return {
    scenarios: {
      arrivals: {
        executor: 'ramping-arrival-rate',
        startRate: Math.max(1, Math.round(config.rate / 4)),
        timeUnit: '1s',
        preAllocatedVUs: config.users,
        maxVUs: config.users * 4,
        stages: [
          { target: config.rate, duration: `${ramp}s` },
          { target: config.rate, duration: `${Math.max(1, config.seconds - ramp)}s` },
        ],
        gracefulStop: '30s',
      },
    },
    thresholds: Object.assign(thresholds, more || {}),
    summaryTrendStats: ['avg', 'min', 'med', 'p(95)', 'p(99)', 'p(99.9)', 'max'],
    setupTimeout: '5m',
    // One connection pool for each user, as browsers have it; bodies are read.
    noConnectionReuse: false,
    discardResponseBodies: false,
  };
}
