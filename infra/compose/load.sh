#!/usr/bin/env bash
# k6 against the server of docker-compose.yml: makes an admin and buyers once, then runs the script that is named.
#
#   infra/compose/load.sh                       # stampede.js
#   infra/compose/load.sh browse.js             # any of loadtest/k6/scenarios
#
# The server must run with ONSALE_DRILLS=true (tokens that live for an hour) and ONSALE_RATE_LIMIT_PER_SECOND=0: see
# .env.example. Afterwards the auditor looks at everything that was sold.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

script=${1:-stampede.js}
if [[ ! -f loadtest/k6/scenarios/$script ]]; then
  echo "there is no loadtest/k6/scenarios/$script" >&2
  exit 2
fi

onsale() { docker compose exec --no-TTY server onsale "$@"; }

umask 022
if [[ ! -s secrets/load/admin.json ]]; then
  onsale admin create --email load@example.org --name "Load test" --json >secrets/load/admin.json.new
  mv secrets/load/admin.json.new secrets/load/admin.json
fi
onsale token --load-test --ttl 3600 --count 2000 >secrets/load/buyers.txt.new
mv secrets/load/buyers.txt.new secrets/load/buyers.txt

docker compose --profile load run --rm load run "/k6/scenarios/$script"
onsale audit
