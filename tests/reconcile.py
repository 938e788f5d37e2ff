#!/usr/bin/env python3
"""Time and memory of `florin reconcile`, over a report of payments that were made before.

    tests/reconcile.py target/release/florin [--payments 100000] [--database-url postgres://…]

Payments are made by wrk on 64 connections, the sandbox provider settles them, and the report is read twice: once when
everything is new, and once when everything is known. Prints lines, seconds, lines a second and the greatest memory.
docs/performance.md has the figures.
"""
import argparse
import http.client
import json
import os
import re
import subprocess
import tempfile
import time

import outside


def ask(host, method, path):
    connection = http.client.HTTPConnection(host)
    connection.request(method, path)
    return connection.getresponse().read()


def reconcile(binary, url, folder, report):
    """Exit status, seconds, MiB, and what was said."""
    began = time.monotonic()
    arguments = ["reconcile", "--json", "--report", report, "--days", "0", "--database-url", url, "--data-dir", folder]
    process = subprocess.Popen([binary, *arguments], stdout=subprocess.PIPE)
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - began, used.ru_maxrss / 1024, json.loads(said)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--database-url", help="an empty database; a new SQLite file if absent")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.database_url or f"sqlite:{folder}/florin.db"
        server = outside.Server("server", chosen.binary, url, folder)
        try:
            provider = re.search(r"provider\s+http://(\S+)", open(f"{server.path}.log").read())[1]
            outside.SHAPES["payments"] = (1, 64, {"WORK": "payment"})
            made = 0
            while made < chosen.payments:
                seconds = max(1, min(60, (chosen.payments - made) // 2_500))
                rate, *_ = server.load("payments", seconds)
                made += int(rate * seconds)
                print(f"about {made:,} payments", flush=True)
            settlement = json.loads(ask(provider, "POST", "/v1/settlements"))
            report = f"{folder}/report.csv"
            with open(report, "wb") as file:
                file.write(ask(provider, "GET", f"/v1/settlements/{settlement['id']}/report"))
            for name in ["new", "known"]:
                code, seconds, memory, done = reconcile(chosen.binary, url, server.path, report)
                lines = settlement["lines"]
                print(f"{name:6} {lines:>9,} lines {seconds:8.1f} s {lines / seconds:9,.0f} lines/s {memory:7.0f} MiB  "
                      f"exit {code}  {json.dumps(done['report'])} adds up: {done['adds_up']}", flush=True)
        finally:
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    main()
