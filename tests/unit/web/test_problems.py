"""Errors as answers: every error of the family has a status, a code of its own and a sentence."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest

from shared.domain import errors
from shared.ports import OutcomeUnknown, PaymentRefused, QueueFailed, Stale
from shared.web.problems import problem_of, problem_response, status_of


def family(kind: type[errors.AjoError] = errors.AjoError) -> Iterator[type[errors.AjoError]]:
    for child in kind.__subclasses__():
        yield child
        yield from family(child)


NAMED = [kind for kind in family() if "code" in vars(kind)]


def made(kind: type[errors.AjoError]) -> errors.AjoError:
    """One of the kind, its sentence filled with x."""
    names = [name for _, name, _, _ in string.Formatter().parse(kind.sentence) if name]
    if issubclass(kind, errors.InvalidRequest):
        return kind(errors=[{"field": "name", "code": "missing", "message": "Field required"}])
    return kind(**dict.fromkeys(names, "x"))


def test_codes_are_used_once() -> None:
    codes = [kind.code for kind in NAMED]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.code)
def test_every_error_is_a_problem(kind: type[errors.AjoError]) -> None:
    problem = problem_of(made(kind), "req_1")
    assert problem.status == status_of(kind)
    if issubclass(kind, errors.Broken):
        assert (problem.status, problem.code) == (500, "internal_error")
    else:
        assert 400 <= problem.status < 500 or isinstance(made(kind), errors.Busy)
        assert problem.code == kind.code
        assert problem.detail == str(made(kind))
    assert problem.type == f"urn:ajo:problem:{problem.code}"
    assert problem.instance == "urn:ajo:request:req_1"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.MalformedBody, 400),
        (errors.BadSignature, 400),
        (errors.NoToken, 401),
        (errors.NotAllowed, 403),
        (errors.NoSuchThing, 404),
        (errors.GroupFull, 409),
        (errors.BodyTooLarge, 413),
        (errors.UnsupportedMediaType, 415),
        (errors.WrongAmount, 422),
        (errors.IdempotencyKeyReused, 422),
        (errors.TooManyRequests, 429),
        (errors.ProcessorUnavailable, 503),
        (errors.Unbalanced, 500),
    ],
)
def test_the_statuses_that_clients_are_promised(kind: type[errors.AjoError], status: int) -> None:
    assert status_of(kind) == status


@pytest.mark.parametrize("error", [OutcomeUnknown(), Stale(), QueueFailed()])
def test_what_an_adapter_could_not_do_may_be_tried_again(error: Exception) -> None:
    response = problem_response(error, "req_1")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_a_broken_rule_names_its_field() -> None:
    problem = problem_of(errors.WrongSize(field="members", members=4), "req_1")
    assert [(error.field, error.code) for error in problem.errors] == [("members", "wrong_size")]


def test_nothing_of_our_own_faults_is_shown() -> None:
    for error in (ValueError("secret"), errors.Mismatch(what="amount", theirs="secret", ours="secret")):
        assert "secret" not in problem_response(error, "req_1").get_data(as_text=True)


def test_the_processors_own_words_are_not_passed_on() -> None:
    problem = problem_of(PaymentRefused("card_declined", "Ada's card"), "req_1")
    assert "card_declined" in problem.detail
    assert "Ada" not in problem.detail
