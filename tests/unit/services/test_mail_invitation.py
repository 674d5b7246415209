"""Invitations by e-mail: sent once they stand, told where they were not, sent again; no address is left."""

from __future__ import annotations

import logging

import pytest

from shared.adapters.memory_store import MemoryStore
from shared.domain.errors import (
    GroupNotOpen,
    InvitationForAnother,
    InvitationInvalid,
    NoSuchThing,
    NotAllowed,
)
from shared.domain.groups import Terms
from shared.ports import MailFailed
from shared.services import (
    cancel_group,
    create_group,
    import_circle,
    invitations,
    invite,
    join_group,
    mail_invitation,
)
from tests.builders import World, _terms
from tests.worked_examples.test_brought_in import FILE

URL = "https://ajo.test"
FAY = "fay.quillfeather@example.org"


class Recruiting:
    """A circle that recruits, and its organiser."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.world = World(store=self.store)
        self.world.people(2)
        terms = Terms(**_terms(["Ada"] * 5, {"name": "Sunday\tEsusu"}).model_dump())
        self.id = create_group.create_group(self.world.ctx, self.world.command("Ada"), terms)["id"]

    def invited(self, email: str | None = FAY, key: str | None = None) -> dict[str, str]:
        command = self.world.command("Ada", key)
        return invite.invite(self.world.ctx, command, self.id, 14, email, URL)

    def again(self, code: str, email: str = FAY, who: str = "Ada") -> dict[str, str]:
        command = self.world.command(who)
        return mail_invitation.resend(self.world.ctx, command, self.id, code, email, URL)


@pytest.fixture
def circle() -> Recruiting:
    return Recruiting()


def test_an_invitation_for_an_address_is_mailed_there(circle: Recruiting) -> None:
    made = circle.invited()
    (mail,) = circle.world.mails.mails
    assert (made["mail"], mail.to) == ("sent", FAY)
    assert f"{URL}/join#{made['code']}" == made["link"]
    assert made["link"] in mail.text
    assert '"Sunday Esusu"' in mail.text
    assert "8 December 2026" in mail.text


def test_a_code_for_anybody_is_mailed_to_nobody(circle: Recruiting) -> None:
    assert circle.invited(None)["mail"] is None
    assert circle.world.mails.mails == []


@pytest.mark.parametrize("refused", [False, True], ids=["not_sent", "refused"])
def test_where_it_is_not_sent_the_caller_is_told_and_the_invitation_stands(
    circle: Recruiting, refused: bool
) -> None:
    circle.world.mails.failure = MailFailed("no", refused=refused)
    made = circle.invited()
    assert made["mail"] == ("refused" if refused else "not_sent")
    (open_,) = invitations.of_group(circle.world.ctx, "Ada", circle.id, None, 10)["items"]
    assert (open_["id"], open_["state"]) == (made["id"], "open")
    joined = join_group.join(circle.world.ctx, circle.world.command("Ben"), None, made["code"], email=FAY)
    assert joined["state"] == "approved"


def test_it_is_sent_again_with_its_code_and_its_address(circle: Recruiting) -> None:
    circle.world.mails.failure = MailFailed("no")
    made = circle.invited()
    circle.world.mails.failure = None
    assert circle.again(made["code"]) == {"id": made["id"], "mail": "sent"}
    (mail,) = circle.world.mails.mails
    assert made["link"] in mail.text


def test_the_same_request_again_mails_the_same_code(circle: Recruiting) -> None:
    first, second = circle.invited(key="one"), circle.invited(key="one")
    assert first == second
    assert [first["code"] in mail.text for mail in circle.world.mails.mails] == [True, True]


def test_nothing_is_sent_to_who_is_not_meant(circle: Recruiting) -> None:
    bound, open_ = circle.invited(), circle.invited(None)
    sent = len(circle.world.mails.mails)
    with pytest.raises(InvitationForAnother):
        circle.again(bound["code"], "somebody.else@example.org")
    with pytest.raises(InvitationForAnother):
        circle.again(open_["code"])
    with pytest.raises(InvitationInvalid):
        circle.again("guessed")
    with pytest.raises((NoSuchThing, NotAllowed)):
        circle.again(bound["code"], who="Ben")
    invitations.revoke(circle.world.ctx, circle.world.command("Ada"), circle.id, bound["id"])
    with pytest.raises(InvitationInvalid):
        circle.again(bound["code"])
    assert len(circle.world.mails.mails) == sent


def test_an_imported_circle_is_told_by_mail_and_a_silent_server_is_asked_once() -> None:
    world = World()
    world.people(5)
    terms = Terms(**_terms(["Ada"] * 5, {"default_policy": "pay_cleared"}).model_dump())

    def brought() -> list[str]:
        made = import_circle.import_circle(
            world.ctx, world.command("Ada"), terms, FILE, "ada@example.com", URL
        )
        return [one["mail"] for one in made["invitations"]]

    assert brought() == ["sent"] * 4
    assert len({mail.to for mail in world.mails.mails}) == 4
    world.mails.failure = MailFailed("no")
    assert brought() == ["not_sent"] * 4


def test_no_address_is_left_in_store_tasks_or_log(
    circle: Recruiting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    circle.world.mails.failure = MailFailed("the address was refused", refused=True)
    made = circle.invited()
    circle.again(made["code"])
    kept = [f"{one.data}" for documents in circle.store._collections.values() for one in documents.values()]
    lines = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert any("not mailed" in line for line in lines)
    for text in (*kept, *lines, str(circle.world.messages.published), str(circle.world.messages.tasks)):
        assert "quillfeather" not in text


def test_a_circle_that_does_not_recruit_invites_nobody(circle: Recruiting) -> None:
    made = circle.invited()
    cancel_group.cancel(circle.world.ctx, circle.world.command("Ada"), circle.id)
    with pytest.raises(GroupNotOpen):
        circle.again(made["code"])
