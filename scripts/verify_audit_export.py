"""Check an exported audit chain: `scripts/ajo audit export GROUP | python3 verify_audit_export.py`."""

import hashlib
import json
import sys

previous, seq = "0" * 64, 0
for line in sys.stdin.buffer:
    record = json.loads(line)
    seq += 1
    fact = json.dumps(record["fact"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    text = "\n".join([previous, str(seq), record["fact"]["id"] if record["fact"] else "", fact])
    expected = hashlib.sha256(text.encode()).hexdigest()
    if record["seq"] != seq or record["previous"] != previous or record["hash"] != expected:
        sys.exit(f"broken at seq {seq}")
    sides = {"debit": 0, "credit": 0}
    for entry in record["fact"]["entries"]:
        sides[entry["side"]] += entry["pence"]
    if sides["debit"] != sides["credit"]:
        sys.exit(f"debits and credits differ at seq {seq}")
    previous = expected
print(f"{seq} facts, unbroken; the head is {previous}")
