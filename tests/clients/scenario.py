"""One scenario for a client that openapi-python-client makes from docs/openapi.json."""

import sys

from florin_client import AuthenticatedClient, Client
from florin_client.api.accounts import open_account
from florin_client.api.payments import create_payment, list_payments
from florin_client.models import NewAccount, NewPayment, Payment, PaymentPage, Problem


def expect(what, is_so):
    if not is_so:
        raise SystemExit(what)


def is_problem(what, answer, status, code):
    problem = answer.parsed
    expect(f"{what}: {answer.status_code}", answer.status_code == status)
    expect(f"{what}: {problem}", isinstance(problem, Problem))
    expect(f"{what}: {problem.code}", problem.code == code and problem.error.code == code)
    return problem


def pay(florin, key, amount=1099, method="pm_succeeds"):
    order = NewPayment(amount=amount, currency="EUR", payment_method=method)
    key = f"python-{key}"
    return create_payment.sync_detailed(client=florin, body=order, idempotency_key=key)


def main(url, key):
    # A status or a shape that the description does not know raises.
    florin = AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True)

    wallet = NewAccount(code="liabilities:wallets:python", currency="EUR", floor=None)
    account = open_account.sync_detailed(client=florin, body=wallet)
    expect(f"account: {account}", account.status_code == 201)
    expect("account: its balance", account.parsed.balances.available == 0)
    expect("account: no floor", account.parsed.floor is None)

    payment = pay(florin, "paid")
    expect(f"payment: {payment}", isinstance(payment.parsed, Payment))
    expect("payment: taken", payment.parsed.amount_captured == 1099)

    declined = is_problem("decline", pay(florin, "declined", method="pm_declines"), 402, "declined")
    expect("decline: why", isinstance(declined.decline_code, str))

    reused = is_problem("reused key", pay(florin, "paid", amount=1), 422, "idempotency_key_reused")
    expect("reused key: the first payment", reused.resource == payment.parsed.id)

    wrong = is_problem("wrong field", pay(florin, "wrong", amount=0), 422, "invalid_field")
    expect("wrong field: where", wrong.errors[0].pointer == "/amount")

    page = list_payments.sync(client=florin, limit=1)
    expect(f"list: {page}", isinstance(page, PaymentPage) and len(page.data) == 1)
    page = list_payments.sync(client=florin, limit=1, cursor=page.next_cursor)
    expect("list: the payment before it", page.data[0].id == payment.parsed.id)

    stranger = Client(base_url=url, raise_on_unexpected_status=True)
    is_problem("no key", list_payments.sync_detailed(client=stranger), 401, "unauthorized")
    print("the Python client agrees")


main(*sys.argv[1:])
