#!/bin/sh
# standardwebhooks 1.1.0 (PyPI) signs another time than the one it is given, if that time has an offset.
#
# `Webhook.sign(msg_id, timestamp, data)` takes a datetime. It does not convert it to UTC but puts UTC in the place of its
# zone: 14:00+05:00 is signed as 14:00 UTC, five hours later than the moment that was meant. The header that the sender
# writes next to it (`int(timestamp.timestamp())`) has the right moment, so no receiver accepts the message, not even this
# library. A naive datetime is taken for UTC, although Python's own methods take it for local time.
#
# Who is hurt: a sender in Python that is not in UTC, or that gets its times from a database or a calendar with zones. It
# works on a server in UTC and fails on a developer's machine, or the other way round.
#
# Needs python3 with venv, and a package registry. Fails if the behaviour changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
"$work/venv/bin/python" - <<'END'
from datetime import datetime, timedelta, timezone
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
utc = datetime.now(timezone.utc).replace(microsecond=0)
local = utc.astimezone(timezone(timedelta(hours=5)))
assert utc == local, "one moment, written in two zones"


def verdict(moment):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": webhook.sign("msg_1", moment, "{}"),
    }
    try:
        webhook.verify("{}", headers)
        return "accepted"
    except WebhookVerificationError as error:
        return str(error)


said = [verdict(utc), verdict(local)]
print("standardwebhooks 1.1.0, the moment in UTC:    ", said[0])
print("standardwebhooks 1.1.0, the same moment +05:00:", said[1])
assert said == ["accepted", "No matching signature found"], "this has changed"
END
