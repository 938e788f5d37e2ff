"""What a request of the right shape may be refused for.

schemathesis makes requests that the description allows. The server may refuse them by a rule of the
books, which no schema can state, and by nothing else: a refusal for the shape of a field means that the
description allows what the server does not.
"""

import schemathesis

# The problems that say that the shape is wrong.
ABOUT_SHAPE = {
    "malformed_json",
    "invalid_query",
    "invalid_field",
    "unknown_field",
    "idempotency_key_required",
    "idempotency_key_invalid",
    "unsupported_media_type",
    "payload_too_large",
}

# Fields that such a problem may name all the same, by the code of the rule, and why.
RULES_OF_THE_BOOKS = {
    "invalid_field": "a rule about how fields of the books stand to each other, in its own words",
    "fraction_or_exponent": "10.0 is an integer to JSON Schema, and to some readers a float: it is refused",
    "unknown_currency": "which currencies there are, ISO 4217 and the tenant's register say",
    "taken_by_iso": "so they do of codes that no asset may have",
    "ceiling_below_floor": "two limits are compared",
    "range_reversed": "so are the two ends of a range",
    "contradiction": "two questions about one text are compared",
    "ambiguous": "of a few fields at most one is given",
    "contradicts_class": "a class has a normal side",
    "named_twice": "two items of a bulk bear one external id",
    "reserved_kind": "a few kinds are given to other routes",
    "malformed_rate": "a rate has at most 18 digits, and is not zero",
    "malformed_day": "not every month has 31 days",
    "iban_country_unknown": "which countries have IBANs, their registry says",
    "iban_length": "so it does of their length",
    "iban_structure": "and of their structure",
    "iban_check_digits": "two digits of an IBAN are computed from the others",
    "not_for_banks": "which letters banks take, and how long a name is as they write it",
    "required_here": "a fault needs the fields of its kind, and one of three tells which calls it hits",
    "not_of_this_fault": "and it has no other fields",
    "fault_not_possible": "not every fault can happen to every operation",
    "unknown_provider": "which providers there are, the settings say",
    "malformed_cursor": "a cursor is what an earlier page of the same list gave",
}


@schemathesis.check
def right_shapes_are_not_refused_for_their_shape(ctx, response, case):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code not in (400, 413, 415, 422):
        return
    problem = response.json()
    if problem["code"] not in ABOUT_SHAPE:
        return
    wrong = [
        f"{error['pointer']}: {error['code']} ({error['detail']})"
        for error in problem.get("errors", [{"pointer": "", "code": problem["code"], "detail": ""}])
        if error["code"] not in RULES_OF_THE_BOOKS
    ]
    assert not wrong, f"the description allows what is refused: {'; '.join(wrong)}"
