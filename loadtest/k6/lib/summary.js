// The end of a run: a table on stdout, and files where ONSALE_LOAD_JSON and ONSALE_LOAD_HTML name them.

function value(data, metric, name) {
  const found = data.metrics[metric];
  const values = found && (found.values || found);
  const number = values && values[name];
  return typeof number === 'number' ? number : 0;
}

function round(number) {
  return Math.round(number * 10) / 10;
}

// The results as one object.
export function results(data) {
  const refusals = {};
  for (const name of Object.keys(data.metrics)) {
    const code = name.match(/^onsale_refusals\{code:(.+)\}$/);
    if (code && value(data, name, 'count') > 0) {
      refusals[code[1]] = value(data, name, 'count');
    }
  }
  const missed = [];
  for (const name of Object.keys(data.metrics)) {
    const thresholds = data.metrics[name].thresholds || {};
    for (const rule of Object.keys(thresholds)) {
      const kept = typeof thresholds[rule] === 'object' ? thresholds[rule].ok : !thresholds[rule];
      if (!kept) {
        missed.push(`${name} ${rule}`);
      }
    }
  }
  const tickets = value(data, 'onsale_tickets', 'count');
  const sold = value(data, 'onsale_server_sold', 'value');
  // In words, beside the threshold that fails the run. Some tests sell before they begin, so the server may have more.
  if (sold < tickets) {
    missed.push(`the server has sold ${sold} tickets, buyers were told of ${tickets}`);
  }
  return {
    verdict: missed.length === 0 ? 'pass' : 'fail',
    missed,
    capacity: value(data, 'onsale_server_capacity', 'value'),
    sold,
    oversold: value(data, 'onsale_oversold', 'count'),
    sales: value(data, 'onsale_sales', 'count'),
    // To the last sale: setup and teardown sell nothing.
    goodput_per_second: round(value(data, 'onsale_sales', 'count') / Math.max(0.001, value(data, 'onsale_last_sale', 'max') / 1000)),
    served_percent: round(100 * value(data, 'onsale_served', 'rate')),
    lost_acknowledgements: value(data, 'onsale_lost_acknowledgements', 'count'),
    arrivals: value(data, 'iterations', 'count'),
    dropped_arrivals: value(data, 'dropped_iterations', 'count'),
    requests: value(data, 'http_reqs', 'count'),
    retries: value(data, 'onsale_retries', 'count'),
    errors: value(data, 'onsale_errors', 'count'),
    refusals,
    sale_p50_ms: round(value(data, 'onsale_sale_duration', 'med')),
    sale_p99_ms: round(value(data, 'onsale_sale_duration', 'p(99)')),
    sale_p999_ms: round(value(data, 'onsale_sale_duration', 'p(99.9)')),
    request_p50_ms: round(value(data, 'http_req_duration', 'med')),
    request_p99_ms: round(value(data, 'http_req_duration', 'p(99)')),
  };
}

function lines(found) {
  const rows = [];
  for (const name of Object.keys(found)) {
    if (name === 'refusals') {
      for (const code of Object.keys(found.refusals)) {
        rows.push([`refused: ${code}`, String(found.refusals[code])]);
      }
    } else if (name !== 'verdict' && name !== 'missed') {
      rows.push([name, String(found[name])]);
    }
  }
  return rows;
}

function verdict(found) {
  const told = found.verdict === 'pass' ? 'PASS' : `FAIL: ${found.missed.join('; ')}`;
  return `${told} (by the API; k6 runs no programs: audit with \`onsale audit\`)`;
}

function text(found) {
  const rows = lines(found).map(([name, told]) => `  ${name.padEnd(28)} ${told.padStart(12)}`);
  return `\n${rows.join('\n')}\n\n  ${verdict(found)}\n`;
}

function page(found) {
  const escaped = (told) => told.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const rows = lines(found).map(([name, told]) => `<tr><td>${escaped(name)}</td><td>${escaped(told)}</td></tr>`);
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Onsale load test (k6)</title>
<style>body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto}td{border-bottom:1px solid #bbb;padding:.2rem .8rem}
td+td{text-align:right}</style></head><body><h1>Onsale load test (k6)</h1>
<p><strong>${escaped(verdict(found))}</strong></p><table>${rows.join('\n')}</table></body></html>\n`;
}

// For handleSummary().
export function summary(data) {
  const found = results(data);
  const output = { stdout: text(found) };
  if (__ENV.ONSALE_LOAD_JSON) {
    output[__ENV.ONSALE_LOAD_JSON] = `${JSON.stringify(found, null, 2)}\n`;
  }
  if (__ENV.ONSALE_LOAD_HTML) {
    output[__ENV.ONSALE_LOAD_HTML] = page(found);
  }
  return output;
}
