#!/usr/bin/env python3
"""How fast webhooks are received, by wrk, in turns with single transfers and with a server that does nothing.

    tests/performance webhooks [--rounds 3] [--seconds 3] [--databases sqlite,pg] [--payments 60000] [--only NAME,NAME]

The provider takes no calls, so only webhooks tell of the outcome of a payment. `first` delivers the event of a payment that
succeeded, each one once: signature, inbox, state machines, postings, audit record. `duplicate` delivers the same events
again. `bad` delivers them signed with another secret. `bare` posts the same bytes to an actix-web server that reads them and
answers 200. All requests are written and signed before they are sent. What the server counted is compared with what was sent.
At last `florin rehearse` makes 10,000 deliveries. Exit status: 0 all targets met, 1 one was missed.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid

import outside

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64
ACCOUNTS = 2_000
PRICE = 1099
FORGED = "whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2VkLWZvcmdlZA=="
DELIVERIES = 10_000
KINDS = ["transfer", "first", "duplicate", "bad", "bare"]
# Name of the ratio: the two kinds, the least value.
TARGETS = {"first / transfer": 0.8, "duplicate / first": 1.5, "bad / bare": 0.5}


def silent_provider():
    """The address of a provider that takes connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)

    def take():
        taken = []
        while True:
            taken.append(listener.accept()[0])
    threading.Thread(target=take, daemon=True).start()
    return "http://%s:%d" % listener.getsockname()


def signed(secret, event, body, at):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event}.{at}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": event, "webhook-timestamp": at, "webhook-signature": "v1," + base64.b64encode(digest).decode()}


def post(path, body, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: florin\r\nContent-Type: application/json\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def load(address, requests, seconds, start=0, once=False):
    """Requests answered, requests a second, p50 and p99 in milliseconds, answers that are no 2xx, broken connections."""
    more = {"REQUESTS": requests, "FROM": str(start)} | ({"ONCE": "1"} if once else {})
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "-s", f"{HERE}/receiving.lua", address]
    done = subprocess.run(command, env=os.environ | more, capture_output=True, text=True, check=True)
    number, micros, p50, p99, refused, broken = done.stdout.strip().splitlines()[-1].split()
    return int(number), int(number) / (int(micros) / 1e6), float(p50), float(p99), int(refused), int(broken)


def start(command, log, ends):
    """The first line that a program prints."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(log, "w"), text=True)
    ends.append(lambda: (program.kill(), program.wait()))
    return program.stdout.readline().strip()


class Server:
    def __init__(self, florin, name, url, folder, ends):
        self.url, self.path, self.sent = url, f"{folder}/{name}", 0
        command = [florin, "serve", "--json", "--database-url", url, "--listen", "127.0.0.1:0", "--data-dir", self.path]
        command += ["--check-every", "0", "--provider-url", silent_provider(), "--provider-timeout-ms", "3600000"]
        said = json.loads(start(command, f"{self.path}.log", ends))
        self.api, self.key, self.secret = said["api"], said["key"], said["webhook_secret"]
        self.rounds = 0
        body = {"currency": "EUR", "floor": None}
        connection = outside.http.client.HTTPConnection(self.api.removeprefix("http://"))
        send = lambda place: outside.send(connection, "/v1/accounts", body | {"code": f"liabilities:w{place}"}, self.key)
        self.accounts = [send(place)[1]["id"] for place in range(ACCOUNTS)]

    def write(self, kind, requests):
        with open(f"{self.path}.{kind}", "wb") as file:
            file.write(b"\0".join(requests))
        return file.name

    def keyed(self, path, body):
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": uuid.uuid4(), "Prefer": "wait=0"}
        return post(path, json.dumps(body).encode(), headers)

    def counted(self):
        request = urllib.request.Request(f"{self.api}/metrics", headers={"Authorization": f"Bearer {self.key}"})
        text = urllib.request.urlopen(request).read().decode()
        counts = {word: int(number) for word, number in re.findall(r'florin_webhooks_total\{status="(\w+)"\} (\d+)', text)}
        refused = re.search(r"florin_webhooks_refused_total (\d+)", text)
        return counts | {"refused": int(refused[1]) if refused else 0}

    def settled(self):
        """What the server has counted, once it has worked off what was cut off at the end of a load."""
        counts = None
        while counts != self.counted():
            counts = self.counted()
            time.sleep(0.3)
        return counts

    def pay(self, number):
        """Makes so many payments whose outcome nobody knows."""
        order = {"amount": PRICE, "currency": "EUR", "description": "ann", "payment_method": "pm_succeeds"}
        requests = self.write("payments", [self.keyed("/v1/payments", order) for _ in range(number)])
        begin, sent = time.monotonic(), 0
        while sent < number:
            answered, _, _, _, refused, broken = load(self.api, requests, 2, sent, once=True)
            sent += answered + CONNECTIONS
            if (refused and sent < number) or broken:
                sys.exit(f"payments: {refused} refused, {broken} broken")
        self.operations = self.read("SELECT provider_key FROM operation")
        print(f"   {len(self.operations):,} payments prepared in {time.monotonic() - begin:.0f} s", flush=True)

    def read(self, query):
        if self.url.startswith("sqlite:"):
            return [row[0] for row in sqlite3.connect(self.url.removeprefix("sqlite:")).execute(query)]
        return subprocess.check_output(["psql", "-XAtc", query, self.url], text=True).split()

    def events(self):
        """Events of payments that succeeded, as the provider sends them: of operations whose event was never sent."""
        at = int(time.time())
        for key in self.operations:
            record = {"id": "ch_" + uuid.uuid4().hex, "object": "charge", "idempotency_key": key, "amount": PRICE}
            record |= {"currency": "EUR", "payment_method": "pm_succeeds", "status": "succeeded", "decline_code": None}
            event = {"id": "evt_" + uuid.uuid4().hex, "type": "charge.succeeded", "created": at, "data": {"object": record}}
            yield event["id"], json.dumps(event, separators=(",", ":")).encode()

    def write_round(self):
        """Writes the requests of one round. A signature is good for five minutes."""
        at = int(time.time())
        pairs = zip(self.accounts, self.accounts[1:] + self.accounts[:1])
        pairs = list(pairs) * (len(self.operations) // ACCOUNTS + 10)
        body = {"amount": 1, "currency": "EUR"}
        self.write("transfer", [self.keyed("/v1/transfers", body | {"from": a, "to": b}) for a, b in pairs])
        events = list(self.events())
        delivery = lambda secret: [post("/webhooks/sandbox", body, signed(secret, event, body, at)) for event, body in events]
        self.good = delivery(self.secret)
        self.write("first", self.good)
        self.write("bad", delivery(FORGED)[:20_000])

    def measure(self, kind, seconds, bare):
        before = self.counted()
        once = kind in ("transfer", "first")
        address = bare if kind == "bare" else self.api
        file = f"{self.path}.{'duplicate' if kind == 'bare' else kind}"
        answered, rate, p50, p99, refused, broken = load(address, file, seconds, once=once)
        counts = {word: number - before.get(word, 0) for word, number in self.settled().items()}
        counts = {word: number for word, number in counts.items() if number}
        # The last requests may have been cut off before their answers.
        expected = {"first": "applied", "duplicate": "duplicate", "bad": "refused"}.get(kind)
        wrong = set(counts) - {expected} or (expected and not 0 <= counts[expected] - answered <= CONNECTIONS)
        if wrong or broken or refused != (answered if kind == "bad" else 0):
            sys.exit(f"{kind}: {answered} answered, {refused} refused, {broken} broken, the server counted {counts}")
        if kind == "first":
            # wrk keeps the first request for itself, and those that were cut off at the end may not have come.
            self.write("duplicate", self.good[1:answered - 2 * CONNECTIONS])
            self.operations = self.operations[answered + CONNECTIONS:]
        return rate, p50, p99


def rehearsed(florin, server):
    """Seconds of a rehearsal of this many deliveries, and their number."""
    count = 1
    while True:
        command = [florin, "rehearse", f"{server.api}/webhooks/sandbox", "--secret", server.secret, "--seed", "7", "--count", str(count)]
        begin = time.monotonic()
        done = subprocess.run([*command, "--json"], capture_output=True, text=True)
        seconds = time.monotonic() - begin
        report = json.loads(done.stdout)
        deliveries = report["deliveries"]
        if done.returncode:
            sys.exit(f"rehearse: exit status {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
        if deliveries >= DELIVERIES:
            return deliveries, seconds
        count = count * DELIVERIES // deliveries + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("florin")
    parser.add_argument("bare")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--databases", default="sqlite,pg")
    parser.add_argument("--payments", type=int, default=60_000)
    parser.add_argument("--only", default=",".join(KINDS))
    asked = parser.parse_args()
    kinds = [kind for kind in KINDS if kind in asked.only.split(",")]
    folder, ends, missed = tempfile.mkdtemp(prefix="florin-receiving-"), [], False
    try:
        postgres = outside.Postgres(folder) if "pg" in asked.databases else None
        ends += [postgres.stop] if postgres else []
        bare = start([asked.bare], f"{folder}/bare.log", ends)
        for database in asked.databases.split(","):
            url = postgres.create("receiving") if database == "pg" else f"sqlite:{folder}/florin.db"
            server = Server(asked.florin, database, url, folder, ends)
            print(database, "a second, p50 and p99 in ms", flush=True)
            server.pay(asked.payments)
            rates = {kind: [] for kind in kinds}
            for round_ in range(asked.rounds):
                server.write_round()
                for kind in kinds:
                    rate, p50, p99 = server.measure(kind, asked.seconds, bare)
                    rates[kind].append(rate)
                    print(f"   round {round_ + 1}  {kind:10} {rate:8,.0f} {p50:8.2f} {p99:8.2f}", flush=True)
            for name, least in TARGETS.items():
                one, other = name.split(" / ")
                if one in kinds and other in kinds:
                    ratios = [a / b for a, b in zip(rates[one], rates[other])]
                    middle = statistics.median(ratios)
                    missed |= middle < least
                    verdict = "met" if middle >= least else "MISSED"
                    print(f"   {name:20} {' '.join(f'{ratio:.2f}' for ratio in ratios)}  middle {middle:.2f}, must {least}: {verdict}")
            deliveries, seconds = rehearsed(asked.florin, server)
            missed |= seconds > 20 * deliveries / DELIVERIES
            verdict = "met" if seconds <= 20 * deliveries / DELIVERIES else "MISSED"
            print(f"   rehearse: {deliveries:,} deliveries in {seconds:.1f} s, must 20 s for 10,000: {verdict}", flush=True)
            ends.pop()()
    finally:
        for end in reversed(ends):
            end()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
