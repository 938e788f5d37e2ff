// For Jest: each schedule of `florin rehearse` is a test of the consumer at $CONSUMER.

const { execFileSync, spawnSync } = require("node:child_process");

const consumer = process.env.CONSUMER ?? "http://127.0.0.1:9000";
const list = execFileSync("florin", ["rehearse", "--list"], { encoding: "utf8" });
const schedules = list.trim().split("\n").map((line) => line.split(" ")[0]);

test.each(schedules)("webhooks: %s", (schedule) => {
  const command = ["rehearse", `${consumer}/webhooks`, "--schedule", schedule, "--seed", "7"];
  command.push("--effects-url", `${consumer}/credited/{order}`);
  const ended = spawnSync("florin", command, { encoding: "utf8" });
  if (ended.status !== 0) throw new Error(ended.stdout + ended.stderr);
}, 30_000);
