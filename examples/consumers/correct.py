"""A consumer of webhooks that passes every schedule of `florin rehearse`. naive.py differs in ten lines."""

import base64
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode("c2FuZGJveC1zZWNyZXQtb2YtZmxvcmluLTAx")
SIGN = {"payment.succeeded": 1, "payment.refunded": -1}

credited = {}  # the amount credited to each order, in cents
seen = set()  # the ids of the events that have had their effect
lock = threading.Lock()


def signature(headers, body):
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()


def is_genuine(headers, body):
    at, sent = headers["webhook-timestamp"] or "", headers["webhook-signature"] or ""
    is_now = at.isdigit() and abs(time.time() - int(at)) <= 300
    return is_now and any(hmac.compare_digest(one.encode(), signature(headers, body).encode()) for one in sent.split())


def receive(headers, body):
    if not is_genuine(headers, body):
        return 400
    event = json.loads(body)
    if event["type"] not in SIGN or "data" not in event:
        return 200
    payment = event["data"]["object"]
    order, amount = payment["order"], payment["amount"]
    with lock:  # in a database: one transaction
        if event["id"] not in seen:
            seen.add(event["id"])
            credited[order] = credited.get(order, 0) + SIGN[event["type"]] * amount
    return 200


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the connection was cut
            self.close_connection = True
            return
        try:
            status = receive(self.headers, body)
        except Exception:
            status = 500
        self.answer(status, b"")

    def do_GET(self):
        order = self.path.removeprefix("/credited/")
        self.answer(200, str(credited.get(order, 0)).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
