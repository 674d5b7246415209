"""A circle's books: statements as JSON, CSV and PDF, the audit chain, and the access log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import NoSuchThing, NotAllowed, ReasonMissing
from shared.domain.permissions import Action
from shared.web.answers import Download
from shared.web.paging import page
from shared.web.routing import Call, Route
from shared.web.schemas.books import (
    AccessEntry,
    AuditReport,
    AuditRequest,
    GroupStatement,
    MemberPeriod,
    Period,
    Statement,
)
from shared.web.schemas.common import Page, PageRequest

_STAFF_MAY: Final = (NoSuchThing, NotAllowed, ReasonMissing)


def read_statement(call: Call[MemberPeriod]) -> Mapping[str, Any] | Download:
    from shared.services import display_names, statements

    asked, group = call.input, call.path["group"]
    uid = asked.member or call.uid
    found = statements.of_member(call.ctx, call.reader, group, uid, asked.since, asked.until)
    if asked.format == "json":
        return found
    from shared.web import statement_sheets

    name = display_names.names(call.ctx, group, [uid]).get(uid, uid)
    return _sheet(statement_sheets.member_sheet(found, name), asked.format, f"statement-{group}")


def read_group_statement(call: Call[Period]) -> Mapping[str, Any] | Download:
    from shared.services import display_names, statements

    asked, group = call.input, call.path["group"]
    found = statements.of_group(call.ctx, call.reader, group, asked.since, asked.until)
    if asked.format == "json":
        return found
    from shared.web import statement_sheets

    accounts = {
        *found["closing"],
        *(entry["account"] for line in found["lines"] for entry in line["entries"]),
    }
    people = sorted({whose for account in accounts if (whose := account.partition(":")[2])})
    names = display_names.names(call.ctx, group, people)
    return _sheet(statement_sheets.group_sheet(found, names), asked.format, f"books-{group}")


def _sheet(sheet: Any, format_: str, name: str) -> Download:
    from shared.web import sheets

    if format_ == "csv":
        return Download(sheets.as_csv(sheet), f"{sheets.CSV}; charset=utf-8", f"{name}.csv")
    return Download(sheets.as_pdf(sheet), sheets.PDF, f"{name}.pdf")


def read_audit(call: Call[AuditRequest]) -> Mapping[str, Any] | Download:
    from shared.services import audit

    group = call.path["group"]
    if call.input.format == "json":
        return audit.for_auditor(call.ctx, call.reader, group)
    lines = audit.export_for_auditor(call.ctx, call.reader, group)
    return Download(lines, "application/jsonl", f"audit-{group}.jsonl")


def list_accesses(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import read_accesses

    return page(
        call.input,
        lambda cursor, limit: read_accesses.of_group(
            call.ctx, call.reader, call.path["group"], cursor, limit
        ),
    )


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "GET",
        "/v1/groups/{group}/statement",
        Action.READ_STATEMENT,
        "Read one's own statement: opening balance, every movement, closing balance",
        takes=MemberPeriod,
        answer=Statement,
        handler=read_statement,
        downloads=("text/csv", "application/pdf"),
        refuses=_STAFF_MAY,
    ),
    Route(
        "GET",
        "/v1/groups/{group}/books",
        Action.READ_GROUP_STATEMENT,
        "Read a circle's statement: every account and every posting of a period",
        takes=Period,
        answer=GroupStatement,
        handler=read_group_statement,
        downloads=("text/csv", "application/pdf"),
        refuses=_STAFF_MAY,
    ),
    Route(
        "GET",
        "/v1/groups/{group}/audit",
        Action.READ_AUDIT,
        "Verify a circle's audit chain, or export it as JSON lines",
        takes=AuditRequest,
        answer=AuditReport,
        handler=read_audit,
        downloads=("application/jsonl",),
        refuses=_STAFF_MAY,
    ),
    Route(
        "GET",
        "/v1/groups/{group}/accesses",
        Action.READ_ACCESSES,
        "List who of staff looked into a circle, and why",
        takes=PageRequest,
        answer=Page[AccessEntry],
        handler=list_accesses,
        refuses=(NoSuchThing, NotAllowed),
    ),
)
