# ruff: noqa: S608 - statements put together of constants, to do harm
"""Ways of tampering with the chain that `conftest.chain` makes, each as what SQL does it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, text

from serving.audit.chain import COVERED
from serving.store.engine import writing

LAST, ERASED, ERASURE, PRUNED = 62, 30, 62, 20
THIS, NEXT = "(SELECT id FROM audit WHERE seq = 40)", "(SELECT id FROM audit WHERE seq = 41)"
OTHER = {
    "seq": 1040,
    "id": "'01JDCQ00000000000000000000'",
    "at": "at + 1",
    "detail_digest": "hash",
    "hash": "detail_digest",
}
CHANGES = {
    f"{column} of record {seq}": [f"UPDATE audit SET {column} = {OTHER.get(column, repr('other'))} WHERE seq = {seq}"]
    for column in (*COVERED, "hash")
    for seq in (PRUNED + 1, 40, LAST)
}
TAMPERED = CHANGES | {
    "cut off an empty field": ["UPDATE audit SET actor = '', object = actor || object WHERE seq = 40"],
    "moved text between fields": ["UPDATE audit SET model = model || 'r', rule = substr(rule, 2) WHERE seq = 40"],
    "record missing at the beginning": [f"DELETE FROM audit WHERE seq = {PRUNED + 1}"],
    "record missing in the middle": ["DELETE FROM audit WHERE seq = 40"],
    "record and detail missing": [f"DELETE FROM audit_details WHERE id = {THIS}", "DELETE FROM audit WHERE seq = 40"],
    "several missing": ["DELETE FROM audit WHERE seq BETWEEN 35 AND 50"],
    "the last missing": [f"DELETE FROM audit WHERE seq = {LAST}"],
    "the last and its detail missing": [
        f"DELETE FROM audit_details WHERE id = (SELECT id FROM audit WHERE seq = {LAST})",
        f"DELETE FROM audit WHERE seq = {LAST}",
    ],
    "the end missing": ["DELETE FROM audit_details", "DELETE FROM audit WHERE seq > 45"],
    "the end missing, the head moved": [
        "DELETE FROM audit_details WHERE id IN (SELECT id FROM audit WHERE seq > 45)",
        "DELETE FROM audit WHERE seq > 45",
        "UPDATE audit_marks SET seq = 45, hash = (SELECT hash FROM audit WHERE seq = 45) WHERE name = 'head'",
    ],
    "all records missing": ["DELETE FROM audit_details", "DELETE FROM audit"],
    "everything missing": ["DELETE FROM audit_details", "DELETE FROM audit", "DELETE FROM audit_marks"],
    "numbers closed up": ["DELETE FROM audit WHERE seq = 62", "UPDATE audit SET seq = 62 WHERE seq = 40"],
    "two exchanged": [
        "UPDATE audit SET seq = -1 WHERE seq = 40",
        "UPDATE audit SET seq = 40 WHERE seq = 41",
        "UPDATE audit SET seq = 41 WHERE seq = -1",
    ],
    "record added": [
        "INSERT INTO audit SELECT 63, '01JDCQ00000000000000000000', at, actor, action, object, outcome, model, rule, "
        "detail_digest, hash FROM audit WHERE seq = 62"
    ],
    "record added, the head moved": [
        "INSERT INTO audit SELECT 63, '01JDCQ00000000000000000000', at, actor, action, object, outcome, model, rule, "
        "detail_digest, hash FROM audit WHERE seq = 62",
        "UPDATE audit_marks SET seq = 63 WHERE name = 'head'",
    ],
    "record put in": [
        "UPDATE audit SET seq = seq + 1000 WHERE seq > 40",
        "UPDATE audit SET seq = seq - 999 WHERE seq > 1000",
        "INSERT INTO audit SELECT 41, '01JDCQ00000000000000000000', at, actor, action, object, outcome, model, rule, "
        "detail_digest, hash FROM audit WHERE seq = 40",
    ],
    "a pruned number again": [
        "INSERT INTO audit SELECT 20, '01JDCQ00000000000000000000', at, actor, action, object, outcome, model, rule, "
        "detail_digest, hash FROM audit WHERE seq = 40"
    ],
    "detail changed": [f"UPDATE audit_details SET content = CAST('{{}}' AS {{bytes}}) WHERE id = {THIS}"],
    "detail's subject changed": [f"UPDATE audit_details SET subject = 'x' WHERE id = {THIS}"],
    "detail's subject emptied": [f"UPDATE audit_details SET subject = '' WHERE id = {THIS}"],
    "detail missing": [f"DELETE FROM audit_details WHERE id = {THIS}"],
    "details exchanged": [
        f"UPDATE audit_details SET id = 'a' WHERE id = {THIS}",
        f"UPDATE audit_details SET id = {THIS} WHERE id = {NEXT}",
        f"UPDATE audit_details SET id = {NEXT} WHERE id = 'a'",
    ],
    "detail taken from another": [
        f"UPDATE audit_details SET content = (SELECT content FROM audit_details WHERE id = {NEXT}) WHERE id = {THIS}"
    ],
    "detail without a record": [
        "INSERT INTO audit_details (id, content) SELECT 'x', content FROM audit_details LIMIT 1"
    ],
    "erased detail put back": [
        f"INSERT INTO audit_details (id, content) SELECT (SELECT id FROM audit WHERE seq = {ERASED}), content "
        f"FROM audit_details WHERE id = {THIS}"
    ],
    "erasure's detail missing": [f"DELETE FROM audit_details WHERE id = (SELECT id FROM audit WHERE seq = {ERASURE})"],
    "another record made an erasure": ["UPDATE audit SET action = 'forget' WHERE seq = 61"],
    "the erasure made another record": ["UPDATE audit SET action = 'decide' WHERE seq = 62"],
    "head's number": ["UPDATE audit_marks SET seq = seq + 1 WHERE name = 'head'"],
    "head's hash": ["UPDATE audit_marks SET hash = signature WHERE name = 'head'"],
    "head's time": ["UPDATE audit_marks SET at = at + 1 WHERE name = 'head'"],
    "head's signature": ["UPDATE audit_marks SET signature = hash WHERE name = 'head'"],
    "head missing": ["DELETE FROM audit_marks WHERE name = 'head'"],
    "head and checkpoint exchanged": [
        "UPDATE audit_marks SET name = 'x' WHERE name = 'head'",
        "UPDATE audit_marks SET name = 'head' WHERE name = 'checkpoint'",
        "UPDATE audit_marks SET name = 'checkpoint' WHERE name = 'x'",
    ],
    "checkpoint's number": ["UPDATE audit_marks SET seq = seq - 1 WHERE name = 'checkpoint'"],
    "checkpoint's hash": ["UPDATE audit_marks SET hash = signature WHERE name = 'checkpoint'"],
    "checkpoint's time": ["UPDATE audit_marks SET at = at + 1 WHERE name = 'checkpoint'"],
    "checkpoint's signature": ["UPDATE audit_marks SET signature = hash WHERE name = 'checkpoint'"],
    "checkpoint missing": ["DELETE FROM audit_marks WHERE name = 'checkpoint'"],
    "more pruned under the checkpoint": [
        "DELETE FROM audit_details WHERE id IN (SELECT id FROM audit WHERE seq < 26)",
        "DELETE FROM audit WHERE seq < 26",
    ],
    "more pruned, the checkpoint moved": [
        "DELETE FROM audit_details WHERE id IN (SELECT id FROM audit WHERE seq < 26)",
        "UPDATE audit_marks SET seq = 25, hash = (SELECT hash FROM audit WHERE seq = 25) WHERE name = 'checkpoint'",
        "DELETE FROM audit WHERE seq < 26",
    ],
    "retention's clock": ["UPDATE audit_marks SET at = at + 1 WHERE name = 'retention'"],
    "another mark": [
        "INSERT INTO audit_marks SELECT 'x', seq, hash, at, signature FROM audit_marks WHERE name = 'head'"
    ],
}
TYPED = {  # SQLite keeps anything in any column
    "time as a text": ["UPDATE audit SET at = 'x' || at WHERE seq = 40"],
    "number as a text": ["UPDATE audit SET seq = 'x' WHERE seq = 40"],
    "name as bytes": ["UPDATE audit SET actor = CAST(actor AS BLOB) WHERE seq = 40"],
    "hash as bytes": ["UPDATE audit SET hash = CAST(hash AS BLOB) WHERE seq = 40"],
    "digest as bytes": ["UPDATE audit SET detail_digest = CAST(detail_digest AS BLOB) WHERE seq = 40"],
    "detail as a number": [f"UPDATE audit_details SET content = 7 WHERE id = {THIS}"],
    "detail as a text": [f"UPDATE audit_details SET content = 'x' WHERE id = {THIS}"],
    "subject as bytes": [f"UPDATE audit_details SET subject = x'00' WHERE id = {THIS}"],
    "signature as bytes": ["UPDATE audit_marks SET signature = CAST(signature AS BLOB) WHERE name = 'head'"],
    "head's hash as bytes": ["UPDATE audit_marks SET hash = CAST(hash AS BLOB) WHERE name = 'head'"],
    "head's number as a text": ["UPDATE audit_marks SET seq = 'x' WHERE name = 'head'"],
}


def run(engine: Engine, statements: Sequence[str]) -> None:
    kind = "BLOB" if engine.dialect.name == "sqlite" else "BYTEA"
    with writing(engine) as connection:
        for statement in statements:
            assert connection.execute(text(statement.replace("{bytes}", kind).replace("{{}}", "{}"))).rowcount, (
                statement
            )
