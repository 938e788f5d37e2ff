"""Asks the senders' libraries for Python: one question in JSON on each line, and one answer."""

import datetime
import json
import sys
import types

import standardwebhooks
import stripe
import svix
from Adyen import util as adyen
from paddle_billing.Notifications import Secret, Verifier
from paddle_billing.Notifications.PaddleSignature import PaddleSignature
from square.utils.webhooks_helper import verify_signature


def moment(ask):
    zone = datetime.timezone(datetime.timedelta(hours=ask.get("offset", 0)))
    return datetime.datetime.fromtimestamp(ask["timestamp"], zone)


def item(ask):
    return json.loads(ask["body"])["notificationItems"][0]["NotificationRequestItem"]


def webhook(ask, library, prefix):
    signature = library(ask["secret"]).sign(ask["id"], moment(ask), ask["body"])
    return {
        f"{prefix}-id": ask["id"],
        f"{prefix}-timestamp": str(ask["timestamp"]),
        f"{prefix}-signature": signature,
    }


def paddle_header(ask):
    signed = f"{ask['timestamp']}:{ask['body']}".encode()
    digest = PaddleSignature.calculate_hmac(ask["secret"], signed).hexdigest()
    return {"Paddle-Signature": f"ts={ask['timestamp']};h1={digest}"}


SIGN = {
    "stripe": lambda ask: {
        "Stripe-Signature": stripe.WebhookSignature.generate_signature_header(
            ask["body"], ask["secret"], ask["timestamp"]
        )
    },
    "standardwebhooks": lambda ask: webhook(ask, standardwebhooks.Webhook, "webhook"),
    "svix": lambda ask: webhook(ask, svix.Webhook, "svix"),
    "paddle": paddle_header,
    "adyen-notification": lambda ask: {
        "hmacSignature": adyen.generate_notification_sig(item(ask), ask["secret"]).decode()
    },
    "adyen-payload": lambda ask: {
        "HmacSignature": adyen.generate_payload_sig(ask["body"].encode(), ask["secret"]).decode()
    },
}


def paddle(ask):
    request = types.SimpleNamespace(headers=ask["headers"], body=ask["body"].encode())
    secrets = ask["secret"]
    secrets = [Secret(one) for one in secrets] if isinstance(secrets, list) else Secret(secrets)
    verifier = Verifier(ask.get("tolerance", 5))
    verifier.log.disabled = True
    verifier.paddle_signature.log.disabled = True
    return verifier.verify(request, secrets)


VERIFY = {
    "stripe": lambda ask: stripe.Webhook.construct_event(
        ask["body"], ask["headers"]["Stripe-Signature"], ask["secret"], ask.get("tolerance", 300)
    ),
    "standardwebhooks": lambda ask: standardwebhooks.Webhook(ask["secret"]).verify(
        ask["body"], ask["headers"]
    ),
    "svix": lambda ask: svix.Webhook(ask["secret"]).verify(ask["body"], ask["headers"]),
    "paddle": paddle,
    "square": lambda ask: verify_signature(
        request_body=ask["body"],
        signature_header=ask["headers"]["x-square-hmacsha256-signature"],
        signature_key=ask["secret"],
        notification_url=ask["url"],
    ),
    "adyen-notification": lambda ask: adyen.is_valid_hmac_notification(
        json.loads(ask["body"]), ask["secret"]
    ),
    "adyen-payload": lambda ask: adyen.is_valid_hmac_payload(
        ask["headers"]["HmacSignature"], ask["secret"], ask["body"].encode()
    ),
}


def told(result):
    if result is None:
        return "nothing"
    if result is True or result is False:
        return "true" if result else "false"
    return "event"


def answer(ask):
    try:
        if ask["do"] == "sign":
            return {"headers": SIGN[ask["library"]](ask)}
        return {"said": told(VERIFY[ask["library"]](ask))}
    except Exception as error:
        return {"said": "raises " + type(error).__name__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
