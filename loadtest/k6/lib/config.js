// What the scripts are told: the same variables as onsale-load has. k6 resolves the names of files that it reads
// beside this script, so give whole paths for ONSALE_LOAD_TOKEN_FILE and ONSALE_LOAD_ADMIN_FILE.
import { SharedArray } from 'k6/data';

function number(name, fallback) {
  const text = __ENV[name];
  if (text === undefined || text === '') {
    return fallback;
  }
  const value = Number(text);
  if (!(value >= 0)) {
    throw new Error(`${name}: give a number that is not negative`);
  }
  return value;
}

// Settings, with the scale that suits a script where nobody said otherwise.
export function config(usual) {
  return {
    address: (__ENV.ONSALE_LOAD_ADDRESS || 'http://127.0.0.1:8080').replace(/\/$/, ''),
    capacity: number('ONSALE_LOAD_CAPACITY', usual.capacity || 100000),
    // Arrivals a second at the peak.
    rate: number('ONSALE_LOAD_RATE', usual.rate || 100),
    seconds: number('ONSALE_LOAD_DURATION', usual.seconds || 30),
    // Virtual users that are there from the beginning; four times as many may be.
    users: number('ONSALE_LOAD_USERS', usual.users || 100),
    holdSeconds: number('ONSALE_LOAD_HOLD_SECONDS', 5),
    droppedMax: number('ONSALE_LOAD_DROPPED_MAX', 0),
    p99: number('ONSALE_LOAD_P99_MS_MAX', 0),
  };
}

// Buyers' access tokens, one a line; empty without a file.
export const fileTokens = new SharedArray('buyers', () => {
  const file = __ENV.ONSALE_LOAD_TOKEN_FILE;
  return file ? open(file).split('\n').map((line) => line.trim()).filter((line) => line !== '') : [];
});

// What `onsale admin create --json` printed, or nothing.
const adminFile = __ENV.ONSALE_LOAD_ADMIN_FILE;
export const admin = adminFile ? JSON.parse(open(adminFile)) : null;
export const adminToken = __ENV.ONSALE_LOAD_ADMIN_TOKEN || null;
