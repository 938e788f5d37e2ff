#!/bin/sh
# localstripe 1.15.10 charges Stripe's test payment method for a declined card.
#
# Stripe's documentation lists `pm_card_visa_chargeDeclined` as a payment method whose charge is declined: a PaymentIntent
# that is confirmed with it is answered with 402 `card_declined`. localstripe has the method by this name, gives it the
# card 4000000000000002, and takes the money: 200, `succeeded`. That card is only declined when it is attached to a
# customer. `pm_card_chargeCustomerFail` is the one that is declined here.
#
# Who is hurt: a program whose tests of declined cards use the documented name. They pass or fail for the wrong reason, and
# a shop that ships goods after a decline is not noticed.
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
    curl -s -o "$work/answer" -w '%{http_code}' -u sk_test_12345: "$api/payment_intents" \
        -d amount=1000 -d currency=eur -d confirm=true -d "payment_method=$1"
}
field() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get(sys.argv[2]))' "$work/answer" "$1"
}
declined=$(pay pm_card_visa_chargeDeclined)
status=$(field status)
echo "localstripe 1.15.10, pm_card_visa_chargeDeclined: $declined, status $status (Stripe: 402 card_declined)"
other=$(pay pm_card_chargeCustomerFail)
echo "localstripe 1.15.10, pm_card_chargeCustomerFail: $other"
[ "$declined" = 200 ] && [ "$status" = succeeded ] && [ "$other" = 402 ] || {
    echo "this has changed" >&2
    exit 1
}
