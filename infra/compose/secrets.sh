#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml, each in a file of ./secrets. What is there already stays as it is: taking
# away a file and running this again changes that secret (the password of Postgres only together with its volume).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Nobody else on this machine gets into the directory. The files in it are readable: containers run under users of their
# own, and Compose hands a file over with the mode that it has.
umask 077
mkdir -p secrets/load

random() { head --bytes="$1" /dev/urandom; }
base64url() { base64 --wrap=0 | tr '+/' '-_' | tr --delete '='; }

# keep NAME: stdin becomes the file, unless it is there.
keep() {
  local file=secrets/$1
  if [[ -s $file ]]; then
    cat >/dev/null
    return
  fi
  cat >"$file.new"
  chmod 0644 "$file.new"
  mv "$file.new" "$file"
  echo "made $file"
}

# What `onsale token-key` prints: HS256 is 32 random bytes, EdDSA a PKCS #8 document around them.
token_key() { printf 'dev-1 HS256 %s\n' "$(random 32 | base64url)"; }
ticket_key() {
  printf 'dev-tickets-1 EdDSA %s\n' "$(
    {
      printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20'
      random 32
    } | base64url
  )"
}

random 24 | base64url | keep postgres-password
random 24 | base64url | keep grafana-password
random 24 | base64url | keep s3-secret-access-key
random 36 | base64url | keep peer-secret
token_key | keep token-keys
ticket_key | keep ticket-keys

password=$(<secrets/postgres-password)
printf 'postgres://onsale:%s@postgres:5432/onsale' "$password" | keep database-url
# For a server outside of containers: DATABASE_URL_FILE=secrets/database-url-local
printf 'postgres://onsale:%s@127.0.0.1:%s/onsale' "$password" "${POSTGRES_PORT:-5432}" | keep database-url-local
chmod 0755 secrets/load
