#!/usr/bin/env python3
"""Does the time of a refusal tell how much of a wrong signature is right?

    tests/performance refusals [TRIES]        default 200,000 of each scheme in one process, and 200,000 over HTTP

Each try has another message, and its right signature with one wrong bit: in the first byte, or in the last byte, by
chance. If the comparison stopped at the first difference, the second kind would take longer. The two kinds are compared by
Welch's t-test, without the slowest twentieth of all tries, in which other programs interrupted. |t| beyond 4.5 fails: chance
alone does that once in 150,000 comparisons. The control is a comparison that does stop at the first difference: if the test
cannot see it, that fails too. Exit status: 0 no difference, 1 a difference or a blind test.
"""
import collections
import json
import math
import subprocess
import sys
import tempfile

BOUND = 4.5
SLOWEST = 0.05
CONTROL = "control"


def welch(kinds):
    """t, the difference of the means, and the greatest difference that would pass, in nanoseconds."""
    alike = sorted((nanos, tries) for kind in kinds.values() for nanos, tries in kind.items())
    left, limit = sum(tries for _, tries in alike) * SLOWEST, math.inf
    for nanos, tries in reversed(alike):
        left -= tries
        limit = nanos
        if left <= 0:
            break
    parts = []
    for kind in "first", "last":
        kept = [(nanos, tries) for nanos, tries in kinds[kind].items() if nanos <= limit]
        number = sum(tries for _, tries in kept)
        mean = sum(nanos * tries for nanos, tries in kept) / number
        spread = sum(tries * (nanos - mean) ** 2 for nanos, tries in kept) / (number - 1)
        parts.append((number, mean, spread / number))
    (_, first, of_first), (_, last, of_last) = parts
    error = math.sqrt(of_first + of_last)
    return (last - first) / error, last - first, BOUND * error, first


def measured(program, *arguments):
    times = collections.defaultdict(lambda: {"first": collections.Counter(), "last": collections.Counter()})
    output = subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in output.splitlines():
        name, kind, nanos, tries = line.split()
        times[name][kind][int(nanos)] += int(tries)
    return times


def over_http(florin, program, tries):
    with tempfile.TemporaryDirectory(prefix="florin-refusals-") as folder:
        serve = [florin, "serve", "--json", "--listen", "127.0.0.1:0", "--check-every", "0", "--data-dir", folder]
        serve += ["--database-url", f"sqlite:{folder}/florin.db"]
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=open(f"{folder}/log", "w"), text=True)
        try:
            said = json.loads(server.stdout.readline())
            return measured(program, tries, said["api"].removeprefix("http://"), said["webhook_secret"])
        finally:
            server.terminate()
            server.wait()


def main():
    florin, program, tries = sys.argv[1], sys.argv[2], sys.argv[3]
    times = measured(program, tries) | over_http(florin, program, tries)
    failed = []
    print("scheme                  tries   mean ns   last - first ns        t   would fail from ns")
    for name, kinds in times.items():
        number = sum(sum(kind.values()) for kind in kinds.values())
        t, difference, seen, mean = welch(kinds)
        differs = abs(t) > BOUND
        verdict = "" if differs == (name == CONTROL) else "   FAILED"
        print(f"{name:20} {number:8,} {mean:9,.0f} {difference:17,.2f} {t:8.2f} {seen:20,.2f}{verdict}", flush=True)
        if verdict:
            failed.append(name)
    if failed:
        print("failed:", ", ".join(failed), f"(a refusal must have |t| <= {BOUND}, the control more)")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
