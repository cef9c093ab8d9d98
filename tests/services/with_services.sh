#!/usr/bin/env bash
# Starts what the tests can use (PostgreSQL, Redis, Chromium, Node clients), runs the given command with it, and cleans up.
# Where a service is not to be had, its tests skip with a message that says what is missing.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
postgres_bin=""
redis_pid=""
cleanup() {
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
  [ -z "$postgres_bin" ] || as_postgres "$postgres_bin/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
installed() { command -v "$1" >/dev/null; }
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
find_postgres() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1; }

if debian; then
  missing=""
  [ -n "$(find_postgres)" ] || missing="$missing postgresql"
  installed redis-server || missing="$missing redis-server"
  installed chromium || missing="$missing chromium"
  if [ -n "$missing" ]; then
    echo "Installing$missing"
    # shellcheck disable=SC2086
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing) \
      >"$work/apt.log" 2>&1 || tail -n 3 "$work/apt.log"
  fi
fi

if installed npm && [ -f tests/e2e/package-lock.json ]; then
  (cd tests/e2e && npm ci --silent --no-audit --no-fund) || echo "npm packages could not be installed"
fi

if [ -z "${PRIMEUR_TEST_POSTGRES:-}" ] && [ -n "$(find_postgres)" ]; then
  postgres_bin=$(find_postgres)
  mkdir "$work/pg"
  chmod 755 "$work"
  [ "$(id -u)" != 0 ] || chown postgres "$work/pg"
  port=$(free_port)
  as_postgres "$postgres_bin/initdb" -D "$work/pg" -U primeur -A trust -E UTF8 >/dev/null
  as_postgres "$postgres_bin/pg_ctl" -D "$work/pg" -w -l "$work/pg/log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/pg -c fsync=off" start >/dev/null
  as_postgres "$postgres_bin/createdb" -h 127.0.0.1 -p "$port" -U primeur primeur
  export PRIMEUR_TEST_POSTGRES="postgresql+psycopg://primeur@127.0.0.1:$port/primeur"
fi

if [ -z "${PRIMEUR_TEST_VALKEY:-}" ] && installed redis-server; then
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save "" --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
  redis_pid=$!
  export PRIMEUR_TEST_VALKEY="redis://127.0.0.1:$port/0"
fi

"$@"
