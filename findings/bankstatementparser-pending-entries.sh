#!/usr/bin/env bash
# bankstatementparser 0.0.29 (PyPI, October 2026), a reader of camt.053 and other statements.
#
# Input: a valid camt.053.001.02. Opening 100.00, one booked credit of 10.00, closing 110.00; and two more entries that
# are not booked: a pending one of 77.00 (Sts PDNG) and one for information of 5.00 (Sts INFO).
#
# Seen: CamtParser.parse() returns three rows, 10.00, 77.00 and 5.00, all alike. No column has the status, so the caller
# cannot leave out the two that are not booked.
#
# Expected: in camt.053 only entries with the status BOOK are part of the balance. PDNG is expected, and comes again
# when it is booked; INFO moves nothing. A list without the status has to be the list of what is booked.
#
# Hurt: whoever books or reconciles from these rows: money that has not come is booked as if it had, and once more on
# the day on which it comes. The rows make 192.00 where the bank says 110.00.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bankstatementparser==0.0.29

cat >"$folder/statement.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-04-01T02:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><CreDtTm>2026-04-01T02:00:00</CreDtTm>
<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">110.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-31</Dt></BookgDt>
<ValDt><Dt>2026-03-31</Dt></ValDt><BkTxCd><Prtry><Cd>166</Cd></Prtry></BkTxCd></Ntry>
<Ntry><Amt Ccy="EUR">77.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts>
<ValDt><Dt>2026-04-02</Dt></ValDt><BkTxCd><Prtry><Cd>166</Cd></Prtry></BkTxCd></Ntry>
<Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>INFO</Sts>
<BkTxCd><Prtry><Cd>999</Cd></Prtry></BkTxCd></Ntry>
</Stmt></BkToCstmrStmt></Document>
XML

"$folder/venv/bin/python" - "$folder/statement.xml" <<'PYTHON'
import sys
from bankstatementparser import CamtParser

rows = CamtParser(sys.argv[1]).parse()
amounts = [str(amount) for amount in rows["Amount"]]
tells = [name for name in rows.columns if "stat" in name.lower() or "sts" in name.lower()]
told = any(value in ("PDNG", "INFO") for name in rows.columns for value in rows[name].astype(str))
print(amounts, list(rows.columns))
same = [float(one) for one in amounts] == [10.0, 77.0, 5.0] and not tells and not told
sys.exit(0 if same else "bankstatementparser behaves in another way now")
PYTHON
