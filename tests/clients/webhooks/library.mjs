// Asks the senders' libraries for JavaScript: one question in JSON on each line, and one answer.

import { createInterface } from "node:readline";
import adyenLibrary from "@adyen/api-library";
import * as octokit from "@octokit/webhooks-methods";
import { Paddle } from "@paddle/paddle-node-sdk";
import { WebhooksHelper } from "square";
import * as standard from "standardwebhooks";
import Stripe from "stripe";
import * as svix from "svix";

const stripe = new Stripe("sk_test_of_nobody");
const adyen = new adyenLibrary.hmacValidator();
const item = (ask) => JSON.parse(ask.body).notificationItems[0].NotificationRequestItem;

function webhook(ask, library, prefix) {
  const time = new Date(ask.timestamp * 1000);
  return {
    [`${prefix}-id`]: ask.id,
    [`${prefix}-timestamp`]: String(ask.timestamp),
    [`${prefix}-signature`]: new library(ask.secret).sign(ask.id, time, ask.body),
  };
}

const sign = {
  stripe: (ask) => ({
    "Stripe-Signature": stripe.webhooks.generateTestHeaderString({
      payload: ask.body,
      secret: ask.secret,
      timestamp: ask.timestamp,
    }),
  }),
  standardwebhooks: (ask) => webhook(ask, standard.Webhook, "webhook"),
  svix: (ask) => webhook(ask, svix.Webhook, "svix"),
  octokit: async (ask) => ({ "X-Hub-Signature-256": await octokit.sign(ask.secret, ask.body) }),
  "adyen-notification": (ask) => ({ hmacSignature: adyen.calculateHmac(item(ask), ask.secret) }),
  "adyen-payload": (ask) => ({ HmacSignature: adyen.calculateHmac(ask.body, ask.secret) }),
};

const verify = {
  stripe: (ask) =>
    stripe.webhooks.constructEvent(
      ask.body,
      ask.headers["Stripe-Signature"],
      ask.secret,
      ask.tolerance ?? 300,
    ),
  standardwebhooks: (ask) => new standard.Webhook(ask.secret).verify(ask.body, ask.headers),
  svix: (ask) => new svix.Webhook(ask.secret).verify(ask.body, ask.headers),
  octokit: (ask) => octokit.verify(ask.secret, ask.body, ask.headers["X-Hub-Signature-256"]),
  paddle: (ask) =>
    new Paddle("pdl_nobody").webhooks.isSignatureValid(
      ask.body,
      ask.secret,
      ask.headers["Paddle-Signature"],
    ),
  square: (ask) =>
    WebhooksHelper.verifySignature({
      requestBody: ask.body,
      signatureHeader: ask.headers["x-square-hmacsha256-signature"],
      signatureKey: ask.secret,
      notificationUrl: ask.url,
    }),
  "adyen-notification": (ask) => adyen.validateHMAC(item(ask), ask.secret),
  "adyen-payload": (ask) =>
    adyen.validateHMACSignature(ask.secret, ask.headers.HmacSignature, ask.body),
};

function told(result) {
  if (result === undefined || result === null) return "nothing";
  return typeof result === "boolean" ? String(result) : "event";
}

async function answer(ask) {
  try {
    if (ask.do === "sign") return { headers: await sign[ask.library](ask) };
    return { said: told(await verify[ask.library](ask)) };
  } catch (error) {
    return { said: "raises " + error.constructor.name };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
