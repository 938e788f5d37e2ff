#!/bin/sh
# Adyen 16.0.0 (PyPI) refuses a genuine notification in which a reference is null; Adyen's library for JavaScript accepts it.
#
# The signature of a notification covers eight fields, and a missing one counts as an empty text. The library for Python
# takes an empty text for a field that is absent, but writes the word `None` for a field that is null, so the signature does
# not fit. @adyen/api-library 32.1.0 takes null and absent for the same. A program that reads a notification into an object
# with optional fields and hands it on as JSON (a queue, a gateway) turns the one into the other.
#
# Who is hurt: a receiver in Python behind such a program. It refuses each notification without an original reference, which
# is each first authorisation.
#
# Needs python3 with venv, node with npm, and a package registry. Fails if the behaviour changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Adyen==16.0.0
cat >"$work/make.py" <<'END'
import base64, hashlib, hmac, json

key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
signed = "7914073381342284::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true"
signature = hmac.new(bytes.fromhex(key), signed.encode(), hashlib.sha256).digest()
item = {
    "additionalData": {"hmacSignature": base64.b64encode(signature).decode()},
    "amount": {"value": 1130, "currency": "EUR"},
    "pspReference": "7914073381342284",
    "eventCode": "AUTHORISATION",
    "merchantAccountCode": "TestMerchant",
    "merchantReference": "TestPayment-1407325143704",
    "success": "true",
}
print(json.dumps({"key": key, "absent": item, "null": {**item, "originalReference": None}}))
END
python3 "$work/make.py" >"$work/items.json"
python=$("$work/venv/bin/python" -c '
import json, sys
from Adyen.util import is_valid_hmac_notification as valid
items = json.load(open(sys.argv[1]))
print(valid(items["absent"], items["key"]), valid(items["null"], items["key"]))' "$work/items.json")
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts @adyen/api-library@32.1.0 >/dev/null
javascript=$(node -e '
const { hmacValidator } = require("@adyen/api-library");
const items = JSON.parse(require("fs").readFileSync("items.json"));
const validator = new hmacValidator();
console.log(validator.validateHMAC(items.absent, items.key), validator.validateHMAC(items.null, items.key));')
echo "originalReference absent, then null:"
echo "Adyen 16.0.0 (Python):                   $python"
echo "@adyen/api-library 32.1.0 (JavaScript):  $javascript"
[ "$python" = "True False" ] && [ "$javascript" = "true true" ] || {
    echo "this has changed" >&2
    exit 1
}
