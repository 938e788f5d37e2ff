// A consumer of webhooks as it is often written. It works until a delivery goes wrong; correct.mjs differs in ten lines.

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
  body = JSON.stringify(JSON.parse(body));
  return headers["webhook-signature"] === `v1,${signature(headers, body)}`;
}

async function receive(headers, body) {
  if (!isGenuine(headers, body)) return 400;
  const event = JSON.parse(body);
  const { order, amount } = event.data.object;
  const before = await load(order);
  if (event.type === "payment.refunded" && before < amount) return 500;
  await save(order, event.type === "payment.refunded" ? before - amount : before + amount);
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
