#!/usr/bin/env python3
"""Load from outside, by wrk, on one build or on two in turns: one tenant, many tenants, payments.

    tests/outside.py target/release/florin [OLDER_BUILD] [--rounds 5] [--seconds 4] [--databases pg,sqlite] [--only TEXT] [--floods]

With --only: only the shapes whose names end with this text: "64" is one tenant and payments on 64 connections.

With --floods: a quiet tenant's lone transfers, alone and beside the floods of another tenant, on a new database.
An older build that cannot make tenants over HTTP is measured with one tenant. Prints each block, and then the medians:
requests a second, p50 and p99 in milliseconds, failures. docs/performance.md has the figures.
"""
import argparse
import concurrent.futures
import glob
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = "sk_sandbox_4f9d2b7c1e8a5036"
# Name of the shape: number of tenants, connections, more for the load.
SHAPES = {
    "one tenant, 1": (1, 1, {}), "one tenant, 32": (1, 32, {}), "one tenant, 64": (1, 64, {}),
    "one tenant, 256": (1, 256, {}), "one tenant, 256, hot": (1, 256, {"HOT": "1"}),
    "100 tenants, 256": (100, 256, {}), "1000 tenants, 256": (1000, 256, {}),
    "payments, 64": (1, 64, {"WORK": "payment"}),
}


def send(connection, path, body, key, name=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    headers |= {"Idempotency-Key": name} if name else {}
    connection.request("POST", path, json.dumps(body), headers)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read() or b"{}")


class Postgres:
    """A private PostgreSQL with its durable defaults."""

    def __init__(self, folder):
        self.folder, self.owner = folder, []
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
            group = subprocess.check_output(["id", "-g", "postgres"], text=True).strip()
            self.owner = ["setpriv", "--reuid", "postgres", "--regid", group, "--clear-groups"]
        self.programs = os.environ.get("PG_BIN_DIR") or (sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [""])[-1]
        self.run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "florin")
        options = f"-k {folder} -c listen_addresses= -c max_connections=200"
        self.run("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/pg.log", "-o", options, "start")

    def run(self, program, *arguments):
        subprocess.run([*self.owner, f"{self.programs}/{program}", *arguments], stdout=subprocess.DEVNULL, check=True)

    def create(self, name):
        """The URL of a new database."""
        subprocess.run([f"{self.programs}/createdb", "-h", self.folder, "-U", "florin", name], check=True)
        return f"postgres://florin@localhost/{name}?host={self.folder}"

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "fast", "stop")


class Server:
    def __init__(self, name, binary, url, folder):
        self.path = f"{folder}/{name}"
        log = open(f"{self.path}.log", "w")
        arguments = ["serve", "--database-url", url, "--listen", "127.0.0.1:0", "--check-every", "0"]
        self.process = subprocess.Popen([binary, *arguments, "--data-dir", self.path], stdout=log, stderr=log)
        for _ in range(300):
            found = re.search(r"api\s+http://(\S+?)/", open(f"{self.path}.log").read())
            if found:
                break
            time.sleep(0.1)
        self.host = found[1]
        self.tenants = {1: self.open_accounts([KEY], 2_000)}

    def open_accounts(self, keys, number):
        def of(key):
            connection = http.client.HTTPConnection(self.host)
            ids = []
            for place in range(number):
                body = {"code": f"liabilities:load{len(keys)}:w{place}", "currency": "EUR", "floor": None}
                ids.append(send(connection, "/v1/accounts", body, key)[1]["id"])
            return ids
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            accounts = list(pool.map(of, keys))
        return self.write(keys, accounts)

    def write(self, keys, accounts):
        path = f"{self.path}.{len(keys)}"
        open(f"{path}.keys", "w").write("".join(f"{key}\n" for key in keys))
        open(f"{path}.accounts", "w").write("".join(" ".join(ids) + "\n" for ids in accounts))
        return path

    def make_tenants(self, number):
        """False if this build cannot."""
        connection = http.client.HTTPConnection(self.host)
        keys = []
        for _ in range(number):
            status, made = send(connection, "/sandbox/tenants", {}, None)
            if status != 201:
                return False
            keys.append(made["api_key"])
        self.open_accounts(keys, 20)
        lines = open(f"{self.path}.{number}.accounts").read().splitlines()
        for few in {shape[0] for shape in SHAPES.values()} - {1, number}:
            self.write(keys[:few], [line.split() for line in lines[:few]])
        return True

    def load(self, shape, seconds):
        tenants, connections, more = SHAPES[shape]
        files = {"KEYS": f"{self.path}.{tenants}.keys", "ACCOUNTS": f"{self.path}.{tenants}.accounts"}
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", f"{HERE}/outside.lua"]
        done = subprocess.run([*command, f"http://{self.host}"], env=os.environ | files | more, capture_output=True, text=True)
        return [float(number) for number in done.stdout.strip().splitlines()[-1].split()]


def lone_transfers(server, key, accounts, seconds):
    """One transfer after the other; the sorted times of all in milliseconds."""
    connection, times = http.client.HTTPConnection(server.host), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        body = {"from": accounts[0], "to": accounts[1], "amount": 1, "currency": "EUR"}
        status, _ = send(connection, "/v1/transfers", body, key, str(uuid.uuid4()))
        assert status == 201, status
        times.append((time.monotonic() - begin) * 1000)
    return sorted(times)


def floods(server, name):
    quiet = send(http.client.HTTPConnection(server.host), "/sandbox/tenants", {}, None)[1]["api_key"]
    crowd = open(f"{server.path}.1.accounts").read().split()[:100]
    own = open(f"{server.open_accounts([quiet], 2)}.accounts").read().split()
    server.write([KEY], [crowd])

    def shown(times):
        return f"p50 {statistics.median(times):.2f} p99 {times[len(times) * 99 // 100]:.2f} ms, {len(times)} transfers"
    lone_transfers(server, quiet, own, 2)
    print(name, "alone", shown(lone_transfers(server, quiet, own, 3)), flush=True)
    for work, connections in ("transfer", 256), ("transfer", 1_000), ("bulk", 16):
        SHAPES["flood"] = (1, connections, {"WORK": work})
        alone = server.load("flood", 4)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            flood = pool.submit(server.load, "flood", 6)
            time.sleep(1)
            times = lone_transfers(server, quiet, own, 4.5)
        print(name, "beside", work, connections, shown(times), "the flood alone and now:", alone, flood.result(), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--databases", default="pg,sqlite")
    parser.add_argument("--only", default="")
    parser.add_argument("--floods", action="store_true")
    asked = parser.parse_args()
    for shape in [shape for shape in SHAPES if not shape.endswith(asked.only)]:
        del SHAPES[shape]
    folder = tempfile.mkdtemp(prefix="florin-outside-")
    servers, results, postgres = {}, {}, None
    try:
        if "pg" in asked.databases:
            postgres = Postgres(folder)
        most = max(shape[0] for shape in SHAPES.values())
        for database in asked.databases.split(","):
            for place, binary in enumerate(asked.builds):
                name = f"{database}{place}"
                url = postgres.create(name) if database == "pg" else f"sqlite:{folder}/{name}.db"
                server = Server(name, binary, url, folder)
                if asked.floods:
                    servers[(database, binary)] = (server, False)
                    floods(server, f"{database} {binary}")
                    continue
                servers[(database, binary)] = (server, most > 1 and server.make_tenants(most))
        for round_ in range(0 if asked.floods else asked.rounds):
            for database in asked.databases.split(","):
                for shape, (tenants, *_) in SHAPES.items():
                    for binary in asked.builds if round_ % 2 == 0 else asked.builds[::-1]:
                        server, has_tenants = servers[(database, binary)]
                        if tenants == 1 or has_tenants:
                            block = server.load(shape, asked.seconds)
                            results.setdefault((database, shape, binary), []).append(block)
                            print(database, shape, binary, *block, flush=True)
        print("medians" if results else "")
        for name, blocks in results.items():
            print(*name, *(statistics.median(column) for column in zip(*blocks)))
    finally:
        for server, _ in servers.values():
            server.process.terminate()
            server.process.wait()
        if postgres:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
