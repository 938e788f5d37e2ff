"""Fills books by bulks and asks for lists. lists.py API MILLIONS SECONDS READERS"""
import http.client, json, os, random, shutil, subprocess, sys, tempfile, threading, time, urllib.parse

api, millions, seconds, readers = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
host = urllib.parse.urlparse(api).netloc
KEY = "sk_sandbox_4f9d2b7c1e8a5036"
HEAD = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
ACCOUNTS, AT_ONCE = 1000, 1000
random.seed(7)


def ask(connection, method, path, body=None, key=None):
    head = dict(HEAD, **({"Idempotency-Key": key} if key else {}))
    connection.request(method, path, json.dumps(body) if body is not None else None, head)
    reply = connection.getresponse()
    return reply.status, reply.read()


def moment(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".%06dZ" % (at % 1 * 1e6)


own = http.client.HTTPConnection(host)
accounts = []
for n in range(ACCOUNTS):
    body = {"code": f"liabilities:wallets:{n}", "currency": "EUR", "floor": None}
    status, reply = ask(own, "POST", "/v1/accounts", body)
    assert status == 201, reply
    accounts.append(json.loads(reply)["id"])
hot = accounts[0]  # one side of each tenth transaction

total, done, lock = int(millions * 1_000_000), 0, threading.Lock()
begun = time.time()


def fill(worker):
    """Transactions by the thousand: a tenth of them displaced, a fifth with a name, a fifth with metadata."""
    global done
    connection = http.client.HTTPConnection(host)
    chance = random.Random(worker)
    while True:
        with lock:
            if done >= total:
                return
            number, done = done, done + AT_ONCE
        items = []
        for n in range(number, number + AT_ONCE):
            debit, credit = chance.sample(accounts, 2)
            if n % 10 == 0:
                debit = hot if credit != hot else accounts[1]
            item = {"kind": "rare" if n % 100_000 == 7 else "gift", "postings": [
                {"debit": debit, "credit": credit, "amount": chance.randint(1, 99), "currency": "EUR"}]}
            if n % 10 == 3:
                item["effective_at"] = moment(1_700_000_000 + chance.random() * 50_000_000)
            if n % 5 == 1:
                item["external_id"] = f"order {n}"
            if n % 5 == 2:
                item["metadata"] = {"order": str(n), "channel": "web" if n % 2 else "shop"}
            items.append(item)
        status, reply = ask(connection, "POST", "/v1/transactions/bulk", {"atomic": True, "transactions": items}, f"fill-{number}")
        if status != 200:
            print(status, reply[:300])
            os._exit(1)


threads = [threading.Thread(target=fill, args=(worker,)) for worker in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
filled = time.time()
print(f"filled {total} in {filled - begun:.0f} s: {total / (filled - begun):.0f} transactions a second")


def middle():
    return begun + random.random() * (filled - begun)


LISTS = {
    "account, any of 1,000": lambda: f"account={random.choice(accounts)}",
    "account, the hot one": lambda: f"account={hot}",
    "account, a recorded range": lambda: f"account={random.choice(accounts)}&to={moment(middle())}",
    "external_id": lambda: f"external_id=order%20{random.randrange(total // 5) * 5 + 1}",
    "recorded before a moment": lambda: f"to={moment(middle())}",
    "effective range, in the past": lambda: "effective_from={}&effective_to={}".format(*(lambda at: (moment(at), moment(at + 86400)))(1_700_000_000 + random.random() * 49_000_000)),
    "effective range, while filled": lambda: "effective_from={}&effective_to={}".format(moment(begun), moment(middle())),
    "metadata, one": lambda: f"metadata.order={random.randrange(total // 5) * 5 + 2}",
    "metadata, many": lambda: "metadata.channel=web",
    "metadata, key present": lambda: "metadata_present=channel",
    "metadata, prefix": lambda: f"metadata_prefix.order={random.randint(10, 99)}",
    "no filter": lambda: "limit=25",
    "kind, common": lambda: "kind=gift",
    "kind, rare": lambda: "kind=rare",
    "status pending (none)": lambda: "status=pending",
    "currency, none": lambda: "currency=USD",
    "amount, none": lambda: "amount_min=1000",
    "subtree of all": lambda: "code_prefix=liabilities",
    "account and amount, none": lambda: f"account={hot}&amount_min=1000",
    "account and a rare kind": lambda: f"account={hot}&kind=rare",
    "subtree and amount, none": lambda: "code_prefix=liabilities&amount_min=1000",
    "metadata and amount, none": lambda: "metadata.channel=web&amount_min=1000",
    "effective and amount, none": lambda: f"effective_from={moment(begun)}&amount_min=1000",
}
OTHERS = {
    "entries of the hot account": lambda: f"/v1/accounts/{hot}/entries",
    "accounts": lambda: "/v1/accounts",
    "statement, effective, hot": lambda: f"/v1/accounts/{hot}/statement?by=effective&from=2023-01-01T00:00:00Z&to=2100-01-01T00:00:00Z",
    "one account": lambda: f"/v1/accounts/{random.choice(accounts)}",
}
QUESTIONS = {name: (lambda make=make: "/v1/transactions?" + make()) for name, make in LISTS.items()} | OTHERS


def share(of, part):
    return of[min(len(of) - 1, int(len(of) * part))] * 1000


def alone(make):
    took, found = [], 0
    for _ in range(60):
        path = make()
        start = time.perf_counter()
        status, body = ask(own, "GET", path)
        took.append(time.perf_counter() - start)
        assert status == 200, (path, body)
        found = max(found, len(json.loads(body).get("data", [])))
    took = sorted(took[10:])
    return share(took, 0.5), share(took, 0.99), found


def crowd_by_wrk(paths):
    script = os.path.join(tempfile.gettempdir(), f"florin-lists-{os.getpid()}.lua")
    with open(script, "w") as out:
        out.write("local paths = {\n" + ",\n".join(json.dumps(path) for path in paths) + "}\n")
        out.write('local head = {["Authorization"] = "Bearer %s"}\nlocal n = 0\n' % KEY)
        out.write('function request() n = n + 1; return wrk.format("GET", paths[n % #paths + 1], head) end\n')
        out.write('function done(s, l, r) io.write(string.format("RESULT %.0f %.2f %.2f %.1f %d %d\\n", s.requests / (s.duration / 1e6), l:percentile(50) / 1000, l:percentile(99) / 1000, l.max / 1000, s.errors.status, s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout)) end\n')
    # First for a second that does not count: each connection to the database makes its plans then.
    for length in (1, seconds):
        told = subprocess.run(["wrk", "-t1", f"-c{readers}", f"-d{length}s", "--timeout", "20s", "--latency", "-s", script, api], capture_output=True, text=True).stdout
    os.unlink(script)
    rate, p50, p99, worst, refused, broken = [line for line in told.splitlines() if line.startswith("RESULT")][0].split()[1:]
    return float(rate), float(p50), float(p99), float(worst), int(refused) + int(broken)


def crowd_by_threads(paths):
    took, refused, until = [], 0, time.time() + seconds

    def one(worker):
        nonlocal refused
        connection, mine, n = http.client.HTTPConnection(host), [], worker
        while time.time() < until:
            n += 1
            start = time.perf_counter()
            status, _ = ask(connection, "GET", paths[n % len(paths)])
            mine.append(time.perf_counter() - start)
            refused += status != 200
        took.extend(mine)

    crowd = [threading.Thread(target=one, args=(worker,)) for worker in range(readers)]
    [thread.start() for thread in crowd]
    [thread.join() for thread in crowd]
    took.sort()
    return len(took) / seconds, share(took, 0.5), share(took, 0.99), took[-1] * 1000, refused


crowd = crowd_by_wrk if shutil.which("wrk") else crowd_by_threads
print(f"{'list':32} {'alone p50':>10} {'p99':>8} {'rows':>5} | {'per s':>7} {'p50':>8} {'p99':>8} {'max':>8} refused   (ms; {readers} readers by {'wrk' if shutil.which('wrk') else 'threads of python'})")
for name, make in QUESTIONS.items():
    p50, p99, found = alone(make)
    rate, c50, c99, worst, refused = crowd([make() for _ in range(500)])
    print(f"{name:32} {p50:10.2f} {p99:8.2f} {found:5} | {rate:7.0f} {c50:8.2f} {c99:8.2f} {worst:8.1f} {refused}", flush=True)
