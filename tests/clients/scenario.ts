// One scenario for a client that is made from docs/openapi.json, compiled as strictly as can be: every
// access below is typed by the description, and a field that is not there, or may be absent, is an error.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[]; exitCode?: number };

const [, , baseUrl = "", key = ""] = process.argv;
const florin = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const stranger = createClient<paths>({ baseUrl });

function expect(what: string, isSo: boolean): void {
  if (!isSo) throw new Error(what);
}

function expectProblem(
  what: string,
  response: Response,
  problem: components["schemas"]["Problem"] | undefined,
  status: number,
  code: string,
): void {
  expect(`${what}: status ${response.status}`, response.status === status);
  expect(`${what}: code ${problem?.code}`, problem?.code === code);
  expect(`${what}: no error object`, problem?.error.code === code);
}

const idempotency = (name: string) => ({ header: { "Idempotency-Key": `typescript-${name}` } });

const account = await florin.POST("/v1/accounts", {
  body: { code: "liabilities:wallets:typescript", currency: "EUR", floor: null },
});
expect(`account: ${account.response.status}`, account.response.status === 201);
const opened: components["schemas"]["Account"] | undefined = account.data;
expect("account: its balance", opened?.balances.available === 0 && opened.floor === null);

const order = { amount: 1099, currency: "EUR", payment_method: "pm_succeeds" };
const payment = await florin.POST("/v1/payments", { params: idempotency("paid"), body: order });
expect(`payment: ${payment.response.status}`, payment.response.status === 201);
const paid: components["schemas"]["Payment"] | undefined = payment.data;
expect(`payment: ${paid?.status}`, paid?.status === "succeeded" && paid.amount_captured === 1099);

const declined = await florin.POST("/v1/payments", {
  params: idempotency("declined"),
  body: { ...order, payment_method: "pm_declines" },
});
expectProblem("decline", declined.response, declined.error, 402, "declined");
expect("decline: why", typeof declined.error?.decline_code === "string");

const reused = await florin.POST("/v1/payments", {
  params: idempotency("paid"),
  body: { ...order, amount: 1 },
});
expectProblem("reused key", reused.response, reused.error, 422, "idempotency_key_reused");
expect("reused key: the first payment", reused.error?.resource === paid?.id);

const wrong = await florin.POST("/v1/payments", {
  params: idempotency("wrong"),
  body: { ...order, amount: 0 },
});
expectProblem("wrong field", wrong.response, wrong.error, 422, "invalid_field");
expect("wrong field: where", wrong.error?.errors?.[0]?.pointer === "/amount");

const list = await florin.GET("/v1/payments", { params: { query: { limit: 1 } } });
const page: components["schemas"]["PaymentPage"] | undefined = list.data;
expect("list: one payment", page?.data.length === 1 && page.data[0]?.object === "payment");
const cursor = page?.next_cursor;
expect("list: goes on", typeof cursor === "string");
const next = await florin.GET("/v1/payments", { params: { query: { limit: 1, cursor: cursor ?? "" } } });
expect("list: the payment before it", next.data?.data[0]?.id === paid?.id);

const refused = await stranger.GET("/v1/payments");
expectProblem("no key", refused.response, refused.error, 401, "unauthorized");

console.log("the TypeScript client agrees");
