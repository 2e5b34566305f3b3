#!/usr/bin/env bash
# Installs Debian packages as root, without letting them start or enable services: goldshop runs private instances,
# and the machine's ports 5432 and 6379 are not ours to open.
set -euo pipefail

readonly POLICY=/usr/sbin/policy-rc.d
readonly NO_CLUSTER=/etc/postgresql-common/createcluster.d/goldshop.conf

# Debian asks this program before it starts a service; 101 means no. One that is already there is left as it is.
forbid_service_starts() {
    [[ ! -e $POLICY ]] || return 0
    trap 'rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

# Without this the postgresql package creates a cluster that is started at every boot. It is only written where
# PostgreSQL is new to the machine: somebody who already uses it has decided for themselves.
forbid_main_cluster() {
    [[ ! -d /etc/postgresql-common ]] || return 0
    mkdir -p "$(dirname "$NO_CLUSTER")"
    printf '# Written by goldshop: it starts its own instances.\ncreate_main_cluster = false\n' >"$NO_CLUSTER"
}

# The Redis package enables its service for the next boot. It was not there before, so nobody relies on it.
disable_redis_service() {
    update-rc.d redis-server disable >/dev/null 2>&1 || true
}

# Nor does anybody rely on nginx.
disable_nginx_service() {
    update-rc.d nginx disable >/dev/null 2>&1 || true
}

# Nor on a pooler.
disable_pgbouncer_service() {
    update-rc.d pgbouncer disable >/dev/null 2>&1 || true
}

# Nor on Prometheus.
disable_prometheus_service() {
    update-rc.d prometheus disable >/dev/null 2>&1 || true
}

# Nor on syslog-ng.
disable_syslog_ng_service() {
    update-rc.d syslog-ng disable >/dev/null 2>&1 || true
}

# Nor on a timer of certbot's: whoever has a certificate renews it by scripts/generate-ssl.sh, which tells nginx. (pebble, which
# the tests ask for certificates, brings no service.)
disable_certbot_timer() {
    systemctl disable certbot.timer >/dev/null 2>&1 || rm -f /etc/systemd/system/timers.target.wants/certbot.timer
}

main() {
    (($# > 0)) || { echo "usage: $0 PACKAGE..." >&2; exit 2; }
    [[ $(id -u) == 0 ]] || { echo "error: $0 must run as root" >&2; exit 1; }
    export DEBIAN_FRONTEND=noninteractive
    forbid_service_starts
    case " $* " in *" postgresql "*) forbid_main_cluster ;; esac
    apt-get update
    apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" </dev/null
    case " $* " in *" redis-server "*) disable_redis_service ;; esac
    case " $* " in *" nginx "*) disable_nginx_service ;; esac
    case " $* " in *" pgbouncer "*) disable_pgbouncer_service ;; esac
    case " $* " in *" syslog-ng-core "*) disable_syslog_ng_service ;; esac
    case " $* " in *" certbot "*) disable_certbot_timer ;; esac
    case " $* " in *" prometheus "*) disable_prometheus_service ;; esac
}

main "$@"
