#!/bin/sh
# localstripe 1.15.10 ignores `Idempotency-Key`: the same request twice takes the money twice.
#
# At Stripe, a second POST with the same key and the same parameters is answered with the stored reply of the first, and has
# no effect. Stripe's own client libraries send a key with every POST and repeat requests by themselves, so every program
# that uses them relies on it. localstripe reads the header nowhere: two requests with one key make two PaymentIntents,
# both `succeeded`.
#
# Who is hurt: a program whose tests of retries, time-outs and lost answers run against localstripe. A retry that is safe at
# Stripe charges twice there, and a program that forgets the key is not noticed.
#
# Needs python3 with venv, curl, and a package registry. Fails if the behaviour changes.
set -eu
work=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check localstripe==1.15.10
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# localstripe writes /tmp/localstripe.pickle after each request. That has nothing to do with the finding, so it is off.
"$work/venv/bin/python" -c '
import localstripe.resources as r
r.Store.dump_to_disk = lambda store: None
from localstripe import server
server.start()' --from-scratch --port "$port" >"$work/log" 2>&1 &
server=$!
api="http://127.0.0.1:$port/v1"
for _ in $(seq 100); do
    curl -s -o /dev/null -u sk_test_12345: "$api/charges" && break
    sleep 0.1
done
pay() {
    curl -s -u sk_test_12345: -H 'Idempotency-Key: order-1' "$api/payment_intents" \
        -d amount=1000 -d currency=eur -d confirm=true -d payment_method=pm_card_visa |
        python3 -c 'import json, sys; it = json.load(sys.stdin); print(it["id"], it["status"])'
}
first=$(pay)
second=$(pay)
moved=$(curl -s -u sk_test_12345: "$api/balance_transactions" |
    python3 -c 'import json, sys; print(sum(it["amount"] for it in json.load(sys.stdin)["data"]))')
echo "localstripe 1.15.10, the same POST twice with one Idempotency-Key: $first, then $second"
echo "money taken for one order of 1000: $moved (Stripe: 1000)"
[ "$first" != "$second" ] && [ "$moved" = 2000 ] || {
    echo "this has changed" >&2
    exit 1
}
