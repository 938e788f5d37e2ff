#!/usr/bin/env bash
# pycamt 1.1.1 (PyPI, July 2026), a reader of camt.053.
#
# Input: a valid camt.053.001.02 with one booked credit of EUR 300.00. Its payer has instructed JPY 50000
# (AmtDtls/InstdAmt). The balances of the file say that the account grew by 300.00.
#
# Seen: get_transactions() returns a transaction with "Amount" 50000 and "Currency" EUR. The number is the one that the
# payer instructed in yen; the code is that of the entry. The booked amount is nowhere in the transaction.
#
# Expected: Ntry/Amt, 300.00 in its own Ccy, is what is booked; InstdAmt is what the payer ordered, before conversion and
# charges, and belongs to its own currency.
#
# Hurt: whoever books or reconciles from this list: a payment from abroad is booked at the foreign number in the
# currency of the account, 166 times too much here.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pycamt==1.1.1

cat >"$folder/statement.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-04-01T02:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><CreDtTm>2026-04-01T02:00:00</CreDtTm>
<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">400.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">300.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-31</Dt></BookgDt>
<BkTxCd><Prtry><Cd>166</Cd></Prtry></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>INV-1</EndToEndId></Refs>
<AmtDtls><InstdAmt><Amt Ccy="JPY">50000</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">300.00</Amt></TxAmt></AmtDtls>
</TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>
XML

"$folder/venv/bin/python" - "$folder/statement.xml" <<'PYTHON'
import sys
from pycamt.parser import Camt053Parser

with open(sys.argv[1], "rb") as file:
    found = Camt053Parser(file.read()).get_transactions()
seen = [(str(one["Amount"]), one["Currency"], one["Status"]) for one in found]
print(seen, found)
booked = any(str(value).startswith("300") for one in found for value in one.values())
sys.exit(0 if seen == [("50000", "EUR", "BOOK")] and not booked else "pycamt behaves in another way now")
PYTHON
