// A consumer of webhooks that passes every schedule of `florin rehearse`. naive.mjs differs in ten lines.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const KEY = Buffer.from("c2FuZGJveC1zZWNyZXQtb2YtZmxvcmluLTAx", "base64");
const SIGN = { "payment.succeeded": 1, "payment.refunded": -1 };

const credited = new Map(); // the amount credited to each order, in cents
const seen = new Set(); // the ids of the events that have had their effect

// As a database would: each takes a turn of the event loop.
const turn = () => new Promise(setImmediate);
const load = (order) => turn().then(() => credited.get(order) ?? 0);
const save = (order, amount) => turn().then(() => credited.set(order, amount));

const signature = (headers, body) =>
  createHmac("sha256", KEY)
    .update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`)
    .update(body)
    .digest("base64");

function isGenuine(headers, body) {
  const isNow = Math.abs(Date.now() / 1000 - Number(headers["webhook-timestamp"])) <= 300;
  const genuine = Buffer.from(`v1,${signature(headers, body)}`);
  const sent = (headers["webhook-signature"] ?? "").split(" ").map((one) => Buffer.from(one));
  return isNow && sent.some((one) => one.length === genuine.length && timingSafeEqual(one, genuine));
}

async function receive(headers, body) {
  if (!isGenuine(headers, body)) return 400;
  const event = JSON.parse(body);
  if (!SIGN[event.type] || !event.data) return 200;
  const { order, amount } = event.data.object;
  // In a database these lines are one transaction. Here nothing waits between them.
  if (seen.has(event.id)) return 200;
  seen.add(event.id);
  credited.set(order, (credited.get(order) ?? 0) + SIGN[event.type] * amount);
  return 200;
}

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

const server = createServer(async (request, response) => {
  let [status, text] = [200, ""];
  if (request.method === "GET") {
    text = String(credited.get(request.url.replace("/credited/", "")) ?? 0);
  } else {
    status = await read(request)
      .then((body) => receive(request.headers, body))
      .catch(() => 500);
  }
  response.writeHead(status, { "content-length": text.length }).end(text);
});

server.listen(Number(process.argv[2] ?? 9000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
