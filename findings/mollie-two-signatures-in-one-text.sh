#!/bin/sh
# mollie-api-typescript 1.12.28 (npm) and mollie-api-py 1.10.20 (PyPI) refuse the genuine webhooks that Mollie sends while a
# signing secret is being replaced, if they get the header as Node's and Python's own servers give it.
#
# For 24 hours after a secret is replaced, a webhook has two headers `X-Mollie-Signature`, one for each secret
# (https://docs.mollie.com/reference/webhooks-new). Both validators take a list of signatures for this. But `request.headers` of Node and the environment of WSGI join two headers of one name with a
# comma: `sha256=…, sha256=…`. The validators do not split a text, so they compare the joined text, and raise an error. The
# examples of both packages pass the header as one text.
#
# Who is hurt: a shop that follows the examples. Its webhooks are accepted until the day on which the secret is replaced, and
# are then all refused until the old secret has ended. Pass the values one by one: `request.headersDistinct` in Node.
#
# Needs node with npm, python3 with venv, and package registries. Fails if the behaviour changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts mollie-api-typescript@1.12.28 >/dev/null
cat >check.mjs <<'END'
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const library = path.dirname(require.resolve("mollie-api-typescript/package.json"));
const { SignatureValidator } = require(path.join(library, "dist/commonjs/utils/webhooks/signature_validator.js"));
const body = '{"resource":"event","id":"event_1"}';
const made = await Promise.all(["old", "new"].map((secret) => SignatureValidator.createSignature(body, secret)));
const validator = new SignatureValidator("new");
const verdict = (signatures) => validator.validatePayload(body, signatures).then(String, (error) => error.message);
const server = http.createServer(async (request, response) => {
  const [joined, single] = [request.headers["x-mollie-signature"], request.headersDistinct["x-mollie-signature"]];
  response.end(JSON.stringify([await verdict(joined), await verdict(single)]));
});
server.listen(0, "127.0.0.1", () => {
  const headers = { "X-Mollie-Signature": made.map((value) => `sha256=${value}`) };
  http.request({ port: server.address().port, host: "127.0.0.1", headers }, (response) => {
    response.on("data", (said) => {
      const [joined, single] = JSON.parse(said);
      console.log("mollie-api-typescript 1.12.28, request.headers:        ", joined);
      console.log("mollie-api-typescript 1.12.28, request.headersDistinct:", single);
      process.exit(joined === "Invalid webhook signature" && single === "true" ? 0 : 1);
    });
  }).end();
});
END
node check.mjs
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mollie-api-py==1.10.20
venv/bin/python - <<'END'
import http.client
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

from mollie.utils.webhooks import InvalidSignatureException, SignatureValidator

BODY = '{"resource":"event","id":"event_1"}'
said = []


def verdict(signatures):
    try:
        return str(SignatureValidator("new").validate_payload(BODY, signatures))
    except InvalidSignatureException as error:
        return str(error)


def receive(environ, start):
    joined = environ["HTTP_X_MOLLIE_SIGNATURE"]
    said.extend([verdict(joined), verdict(joined.split(","))])
    start("200 OK", [])
    return [b""]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


server = make_server("127.0.0.1", 0, receive, handler_class=Quiet)
threading.Thread(target=server.handle_request).start()
connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
connection.putrequest("GET", "/")
for secret in "old", "new":
    connection.putheader("X-Mollie-Signature", "sha256=" + SignatureValidator.create_signature(BODY, secret))
connection.endheaders()
connection.getresponse().read()
print("mollie-api-py 1.10.20, the environment of WSGI:", said[0])
print("mollie-api-py 1.10.20, the same, split:        ", said[1])
assert said == ["Invalid webhook signature", "True"], "this has changed"
END
