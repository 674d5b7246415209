"""What a fuzzed platform is peopled with, and for each operation a request that ought to succeed.

Refusals come easily; handlers are reached only with ids of what exists, by those who may. Each recipe makes
what its operation needs (a message to report, a dispute to decide), and names the asker, the ids and a body.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import uuid4

import requests

from infra.local.demo import circle as circles
from infra.local.demo.circle import BACS, CARD, EARLIEST_START, NAMES, PASSWORD, profile
from infra.local.demo.client import CallFailed, Person, Platform
from infra.local.demo.scenarios.import_running_circle import HEADER, PAPER
from infra.local.demo.story import Story
from shared.domain.ids import payout_id
from tests.entrypoints.bodies import BODIES, MONTH

STAFF: Final = ("support", "finance", "admin", "auditor")
LINKS: Final = {"return_url": "https://app.example/done", "refresh_url": "https://app.example/again"}
LOOKING: Final = {"Access-Reason": "To see that whatever is asked is answered"}
ONE_CARD: Final = {
    "type": "card",
    "card[number]": "4242424242424242",
    "card[exp_month]": "12",
    "card[exp_year]": "2034",
}
LARGE: Final = {"amount_pence": 80_000, "frequency": "weekly"}
SMALL: Final = {"amount_pence": 5_000, "frequency": "monthly"}


@dataclass(frozen=True)
class Ask:
    """Who asks, with which ids in the path, and what is sent. `headers` may stand for the bearer token."""

    who: Person
    path: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class Stage:
    """A running circle after its first pot, one that forms, people beside them, and staff."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.running = circles.start(
            platform, Story(quiet=True), amount_pence=5_000, frequency="weekly", default_policy="pay_cleared"
        )
        self.staff = {role: self._staff(role) for role in STAFF}
        self.stranger = self.newcomer()
        debtor = self.running.receiver(5)
        debtor.bank_says(*["insufficient_funds"] * 12)
        eve = self.running.due_date(1) - timedelta(days=1)  # nothing happens before
        platform.go_to(datetime.combine(eve, time(9, 30), UTC))
        self.running.live_until(self.running.payout_date(1), days_more=3)
        self.debtor = debtor
        self.quarrels = self._all_quarrels()
        self.renew()

    def renew(self) -> None:
        """Another circle that forms: a former one may be full, or cancelled by now."""
        self.organiser = self.saver("Olu")
        self.forming = self.new_group(self.organiser)
        self.code = self.invited(self.organiser, self.forming)
        self._talked_of: tuple[Person, str] | None = None

    # --- people -------------------------------------------------------------------------------------------

    @property
    def members(self) -> list[Person]:
        """Of the running circle, its organiser first."""
        first = self.running.organiser
        return [first, *(one for one in self.running.people if one is not first)]

    def everybody(self) -> list[Person]:
        return [*self.running.people, self.organiser, self.stranger, *self.staff.values()]

    def visitor(self) -> Person:
        """Somebody who has an account at Firebase, and nothing here."""
        email = f"fuzz.{uuid4().hex[:10]}@example.com"
        account = self.platform.sign_in(email, PASSWORD)
        return Person(self.platform, "Fuzz", email, account["localId"], account["idToken"])

    def newcomer(self) -> Person:
        """Somebody who has signed up, and told who they are."""
        person = self.visitor()
        person.post("/v1/users")
        person.post("/v1/users/me/profile", profile("Fuzz"))
        return person

    def payer(self) -> Person:
        """… and who has two payment methods."""
        person = self.newcomer()
        for method in (CARD, BACS):
            person.post("/v1/payment-methods", {"method": method})
        return person

    def saver(self, name: str) -> Person:
        """… and who can be paid."""
        return circles.sign_up(self.platform, Story(quiet=True), name, CARD)

    def assessed(self) -> Person:
        """Somebody who lets us assess them."""
        person = self.newcomer()
        yes = {"purpose": "credit_assessment", "version": "2026-11", "given": True}
        person.post("/v1/users/me/consents", yes)
        return person

    def _staff(self, role: str) -> Person:
        person = self.newcomer()
        project = self.platform.about["environment"]["GOOGLE_CLOUD_PROJECT"]
        base = f"http://{self.platform.about['auth_emulator']}/identitytoolkit.googleapis.com/v1"
        claims = {"localId": person.uid, "customAttributes": f'{{"roles": ["{role}"]}}'}
        requests.post(
            f"{base}/projects/{project}/accounts:update",
            json=claims,
            headers={"Authorization": "Bearer owner"},
            timeout=30,
        ).raise_for_status()
        again = {"email": person.email, "password": PASSWORD, "returnSecureToken": True}
        path = "/accounts:signInWithPassword?key=demo"
        person.token = self.platform.call("POST", path, again, base=base)["idToken"]
        return person

    # --- circles ------------------------------------------------------------------------------------------

    def terms(self, **changes: Any) -> dict[str, Any]:
        first = self.platform.now().date() + EARLIEST_START + timedelta(days=7)
        plain = {"name": "Fuzzed Esusu", "amount_pence": 5_000, "frequency": "monthly", "members": 5}
        return plain | {"first_due_date": first.isoformat()} | changes

    def new_group(self, organiser: Person, **changes: Any) -> str:
        wanted = {"members": 10, "visibility": "public"} | changes
        return str(organiser.post("/v1/groups", self.terms(**wanted))["id"])

    def invited(self, organiser: Person, group: str) -> str:
        return str(organiser.post(f"/v1/groups/{group}/invitations")["code"])

    def requested(self) -> Person:
        """Somebody who asks for a place in the forming circle."""
        person = self.payer()
        person.post("/v1/groups/join", {"code": self.code})
        return person

    def approved(self) -> Person:
        person = self.requested()
        self.organiser.post(f"/v1/groups/{self.forming}/members/{person.uid}/approve")
        return person

    def full_group(self, people: list[Person], **changes: Any) -> str:
        """A circle of these people that forms, all of them approved."""
        organiser, *others = people
        group = self.new_group(organiser, **({"members": 5} | changes))
        code = self.invited(organiser, group)
        for person in others:
            person.post("/v1/groups/join", {"code": code})
            organiser.post(f"/v1/groups/{group}/members/{person.uid}/approve")
        return group

    # --- what circles hold --------------------------------------------------------------------------------

    @property
    def group(self) -> str:
        return self.running.group

    def message(self) -> tuple[Person, str]:
        """One in the running circle, and its author: somebody who has not written too much of late."""
        refused: CallFailed | None = None
        for author in self.members:
            try:
                made = author.post(f"/v1/groups/{self.group}/messages", {"text": "Good morning"})
            except CallFailed as error:
                refused = error
                continue
            return author, str(made["id"])
        raise refused or AssertionError("nobody is in the circle")

    def talked_of(self) -> tuple[Person, str]:
        """This round's message: one is enough for those who read, report and hide it."""
        if self._talked_of is None:
            self._talked_of = self.message()
        return self._talked_of

    def _all_quarrels(self) -> Iterator[tuple[Person, dict[str, Any]]]:
        """Who could raise what: each thing is disputed once by one person, so they are used up one by one."""
        text = {"text": "It is not as was said.", "evidence": []}
        for by, other in itertools.permutations(self.members, 2):
            yield by, {"kind": "person", "subject": other.uid} | text
        for by, other in itertools.permutations(self.members, 2):
            for one in other.pages("/v1/contributions", group=self.group):
                yield by, {"kind": "contribution", "subject": one["id"]} | text

    def dispute(self) -> tuple[Person, dict[str, Any]]:
        """One that is open in the running circle, and who raised it."""
        by, body = next(self.quarrels)
        return by, by.post(f"/v1/groups/{self.group}/disputes", body)

    def heard(self) -> tuple[Person, str]:
        """… answered, and taken up by support."""
        by, dispute = self.dispute()
        path = f"/v1/groups/{self.group}/disputes/{dispute['id']}"
        if dispute["against"] is not None:
            self.running.person(dispute["against"]).post(f"{path}/entries", {"text": "It is."})
        self.staff_post("support", f"{path}/take-up")
        return by, str(dispute["id"])

    def staff_post(self, role: str, path: str, body: Any = None) -> Any:
        """As staff do, who say why."""
        answer = requests.post(
            self.platform.url + path,
            json=body or {},
            headers=LOOKING
            | {"Authorization": f"Bearer {self.staff[role].token}", "Idempotency-Key": uuid4().hex},
            timeout=60,
        )
        if not answer.ok:
            raise CallFailed("POST", path, answer)
        return answer.json()

    def swap(self) -> tuple[str, Person, Person]:
        """A request to swap the last two turns: its id, who asked, and with whom. An open one is withdrawn
        first. Turns whose cycle is open are no longer swapped."""
        cycles = self.members[0].get(f"/v1/groups/{self.group}/schedule")["cycles"]
        asker, other = (self.running.person(cycle["recipient"]) for cycle in cycles[-2:])
        path = f"/v1/groups/{self.group}/approvals"
        for one in asker.pages(path):
            if one["state"] == "open" and one["asked_by"] == asker.uid:
                asker.post(f"{path}/{one['id']}/withdraw")
        made = asker.post(path, {"kind": "swap", "with_member": other.uid})
        return str(made["id"]), asker, other

    def assessment(self) -> tuple[Person, str]:
        """An assessment that waits for a person's review."""
        person = self.assessed()
        made = person.post("/v1/assessments", {"statement": MONTH, "circle": LARGE})
        return person, str(made["id"])

    def review(self) -> str:
        """The id of a review that waits, of somebody's who has just asked."""
        _, assessment = self.assessment()
        found = self.staff["finance"].pages("/v1/assessments/reviews", limit=100)
        return str(next(one["id"] for one in found if one["assessment"] == assessment))

    def setup(self) -> tuple[Person, str]:
        """A payment method's set-up whose page at the processor was filled in."""
        person = self.newcomer()
        made = person.post("/v1/payment-methods/setups", {"kind": "card", "return_url": LINKS["return_url"]})
        self.platform.submit_page(made["url"], payment_method=CARD)
        return person, str(made["setup"])

    def suspect(self) -> Person:
        """Somebody whose card two others have given before: the next one that they give is refused."""
        for person in (people := [self.newcomer() for _ in range(3)]):
            person.post("/v1/payment-methods", {"method": self._one_card()})
        with suppress(CallFailed):
            people[-1].post("/v1/payment-methods", {"method": CARD})
        return people[-1]

    def _one_card(self) -> str:
        """A payment method of the same card each time, made as a client's form makes it."""
        made = requests.post(
            f"{self.platform.about['stripe_control']}/v1/payment_methods",
            data=ONE_CARD,
            headers={"Authorization": "Bearer sk_test_form"},
            timeout=60,
        )
        made.raise_for_status()
        return str(made.json()["id"])

    def session(self) -> tuple[Person, dict[str, str]]:
        """Somebody's browser: its cookie, and the token that goes with changes."""
        person = self.newcomer()
        headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": uuid4().hex}
        opened = requests.post(f"{self.platform.url}/v1/users/session", json={}, headers=headers, timeout=60)
        opened.raise_for_status()
        cookie = f"__session={opened.cookies['__session']}"
        return person, {"Cookie": cookie, "X-CSRF-Token": opened.json()["csrf_token"]}


Recipe = Callable[[Stage], Ask]


def _of_running(role: str = "member", **body: Any) -> Recipe:
    """By a member (or the organiser) of the running circle, about it."""

    def recipe(stage: Stage) -> Ask:
        who = stage.members[0 if role == "organiser" else 2]
        return Ask(who, {"group": stage.group}, body)

    return recipe


def _by(make: Callable[[Stage], Person], **body: Any) -> Recipe:
    return lambda stage: Ask(make(stage), {}, body)


def _member(stage: Stage) -> Person:
    return stage.members[2]


def _staff(role: str) -> Recipe:
    """By staff, about the running circle."""
    return lambda stage: Ask(stage.staff[role], {"group": stage.group}, headers=LOOKING)


def _agreement(stage: Stage) -> Ask:
    person = stage.approved()
    opened = person.post("/v1/users/me/payout-account", LINKS)
    stage.platform.stripe("POST", f"accounts/{opened['account']}/onboard", {})
    person.post("/v1/users/me/payout-account/refresh")
    text = person.get(f"/v1/groups/{stage.forming}/agreement")
    return Ask(person, {"group": stage.forming}, {"hash": text["hash"]})


def _lock(stage: Stage) -> Ask:
    people = [stage.saver(name) for name in NAMES[:5]]  # new ones: nobody may be in more than five
    group = stage.full_group(people)
    for person in people:
        text = person.get(f"/v1/groups/{group}/agreement")
        person.post(f"/v1/groups/{group}/agreement", {"hash": text["hash"]})
    return Ask(people[0], {"group": group})


def _draft(**body: Any) -> Recipe:
    def recipe(stage: Stage) -> Ask:
        group = stage.new_group(stage.organiser, draft=True)
        return Ask(stage.organiser, {"group": group}, stage.terms() | body if body else {})

    return recipe


def _ranking(stage: Stage) -> Ask:
    people = stage.running.people
    group = stage.full_group(people, order_method="preference")
    return Ask(people[1], {"group": group}, {"ranking": [1, 2, 3, 4, 5]})


def _order(stage: Stage) -> Ask:
    people = stage.running.people
    group = stage.full_group(people, order_method="organiser")
    return Ask(people[0], {"group": group}, {"order": [one.uid for one in people]})


def _import(stage: Stage) -> Ask:
    others = [f"fuzz.{uuid4().hex[:10]}@example.com" for _ in range(4)]
    rows = [f"{one},{turn},{PAPER[turn - 1]}" for turn, one in enumerate([stage.organiser.email, *others], 1)]
    body = {key: value for key, value in stage.terms(amount_pence=10_000).items() if key != "members"}
    file = base64.b64encode("\n".join([HEADER, *rows]).encode()).decode()
    return Ask(stage.organiser, {}, body | {"file": file, "default_policy": "pay_cleared"})


def _invitation(stage: Stage) -> Ask:
    stage.invited(stage.organiser, stage.forming)
    path = f"/v1/groups/{stage.forming}/invitations"
    found = next(one for one in stage.organiser.pages(path) if one["state"] == "open")
    stage.code = stage.invited(stage.organiser, stage.forming)
    return Ask(stage.organiser, {"group": stage.forming, "invitation": found["id"]})


def _mail(stage: Stage) -> Ask:
    email = f"fuzz.{uuid4().hex[:10]}@example.com"
    made = stage.organiser.post(f"/v1/groups/{stage.forming}/invitations", {"email": email})
    return Ask(stage.organiser, {"group": stage.forming}, {"code": made["code"], "email": email})


def _on_request(stage: Stage) -> Ask:
    return Ask(stage.organiser, {"group": stage.forming, "member": stage.requested().uid})


def _let_in(stage: Stage) -> Ask:
    return Ask(stage.organiser, {"group": stage.forming, "member": stage.approved().uid})


def _role(stage: Stage) -> Ask:
    path = {"group": stage.forming, "member": stage.approved().uid}
    return Ask(stage.organiser, path, {"role": "deputy"})


def _about_member(**body: Any) -> Recipe:
    """By the organiser of the running circle, about one of its members."""
    return lambda stage: Ask(stage.members[0], {"group": stage.group, "member": stage.members[4].uid}, body)


def _post(stage: Stage) -> Ask:
    author, _ = stage.talked_of()
    return Ask(author, {"group": stage.group}, {"text": "Good morning"})


def _edit(stage: Stage) -> Ask:
    author, message = stage.talked_of()
    return Ask(author, {"group": stage.group, "message": message}, {"text": "Good evening"})


def _delete(stage: Stage) -> Ask:
    author, message = stage.message()
    return Ask(author, {"group": stage.group, "message": message})


def _report(stage: Stage) -> Ask:
    author, message = stage.talked_of()
    reporter = next(one for one in reversed(stage.members) if one is not author)
    return Ask(reporter, {"group": stage.group, "message": message}, {"reason": "spam"})


def _moderate(stage: Stage) -> Ask:
    _, message = stage.talked_of()
    return Ask(
        stage.staff["support"], {"group": stage.group, "message": message}, {"hide": True}, headers=LOOKING
    )


def _read_mark(stage: Stage) -> Ask:
    _, message = stage.talked_of()
    return Ask(stage.members[1], {"group": stage.group}, {"message": message})


def _new_dispute(stage: Stage) -> Ask:
    by, body = next(stage.quarrels)
    return Ask(by, {"group": stage.group}, body)


def _in_dispute(**body: Any) -> Recipe:
    def recipe(stage: Stage) -> Ask:
        by, dispute = stage.dispute()
        return Ask(by, {"group": stage.group, "dispute": str(dispute["id"])}, body)

    return recipe


def _take_up(stage: Stage) -> Ask:
    ask = _in_dispute()(stage)
    return Ask(stage.staff["support"], ask.path, headers=LOOKING)


def _decision(stage: Stage) -> Ask:
    _, dispute = stage.heard()
    path = {"group": stage.group, "dispute": dispute}
    return Ask(stage.staff["support"], path, BODIES["NewDecision"], headers=LOOKING)


def _appeal(stage: Stage) -> Ask:
    by, dispute = stage.heard()
    path = f"/v1/groups/{stage.group}/disputes/{dispute}/decision"
    stage.staff_post("support", path, BODIES["NewDecision"])
    return Ask(by, {"group": stage.group, "dispute": dispute}, BODIES["Appeal"])


def _time(stage: Stage) -> Ask:
    until = stage.platform.now().date() + timedelta(days=30)
    return Ask(stage.members[3], {"group": stage.group}, {"until": until.isoformat()})


def _new_swap(stage: Stage) -> Ask:
    approval, asker, other = stage.swap()
    asker.post(f"/v1/groups/{stage.group}/approvals/{approval}/withdraw")
    return Ask(asker, {"group": stage.group}, {"kind": "swap", "with_member": other.uid})


def _answer_swap(*, asker: bool) -> Recipe:
    def recipe(stage: Stage) -> Ask:
        approval, asked, other = stage.swap()
        return Ask(asked if asker else other, {"group": stage.group, "approval": approval})

    return recipe


def _contribution_receipt(stage: Stage) -> Ask:
    who = next(one for one in stage.members if one is not stage.debtor)
    paid = who.contribution(stage.group, 1)["id"]
    return Ask(who, {"group": stage.group, "contribution": paid})


def _payout_receipt(stage: Stage) -> Ask:
    first = payout_id(stage.group, 1, 1)  # clients read it from Firestore, by the rules
    return Ask(stage.running.receiver(1), {"group": stage.group, "payout": first})


def _pay(stage: Stage) -> Ask:
    """A payment by hand of what the bank refused: the debtor's, with another card."""
    who = stage.debtor
    who.replace_method(CARD)
    return Ask(who, {"contribution": who.contribution(stage.group, 1)["id"]}, {"group": stage.group})


def _method(stage: Stage) -> Ask:
    who = stage.payer()
    other = next(one["id"] for one in who.methods() if not one["is_default"])
    return Ask(who, {"method": other})


def _finish_setup(stage: Stage) -> Ask:
    who, setup = stage.setup()
    return Ask(who, {"setup": setup})


def _own_assessment(**body: Any) -> Recipe:
    def recipe(stage: Stage) -> Ask:
        who, assessment = stage.assessment()
        return Ask(who, {"assessment": assessment}, body)

    return recipe


def _contested(stage: Stage) -> Ask:
    """A review is asked for where none waits: after the first was decided."""
    who, assessment = stage.assessment()
    found = stage.staff["finance"].pages("/v1/assessments/reviews", limit=100)
    review = next(one["id"] for one in found if one["assessment"] == assessment)
    verdict = BODIES["ReviewDecision"] | {"verdict": "declined"}
    stage.staff_post("finance", f"/v1/assessments/reviews/{review}/decision", verdict)
    return Ask(who, {"assessment": assessment}, {"text": "My hours went up in May."})


def _by_review(**body: Any) -> Recipe:
    def recipe(stage: Stage) -> Ask:
        return Ask(stage.staff["finance"], {"review": stage.review()}, body, headers=LOOKING)

    return recipe


def _of_suspect(**body: Any) -> Recipe:
    return lambda stage: Ask(stage.staff["finance"], {"person": stage.suspect().uid}, body, headers=LOOKING)


def _health(stage: Stage) -> Ask:
    who = stage.newcomer()
    who.post("/v1/assessments/financial-health", BODIES["NewHealthAnswers"])
    return Ask(who)


def _session(stage: Stage) -> Ask:
    who, headers = stage.session()
    return Ask(who, headers=headers)


def _leaver(stage: Stage) -> Ask:
    return Ask(stage.approved(), {"group": stage.forming})


RECIPES: Final[dict[str, Recipe]] = {
    "sign_up": _by(Stage.visitor),
    "list_notifications": _by(_member),
    "read_user": _by(_member),
    "open_payout_account": _by(Stage.newcomer, **LINKS),
    "refresh_payout_account": _by(_member),
    "save_profile": _by(Stage.newcomer, **profile("Fuzz")),
    "read_profile": _by(_member),
    "check_identity": _by(Stage.newcomer, return_url=LINKS["return_url"]),
    "read_identity": _by(_member),
    "record_consent": _by(Stage.newcomer, **BODIES["NewConsent"]),
    "read_consents": _by(_member),
    "read_automated_decisions": _by(_member),
    "export_data": _by(Stage.assessed),
    "erase_oneself": _by(Stage.newcomer),
    "add_device": _by(_member, **BODIES["NewDevice"]),
    "remove_device": _by(_member, **BODIES["OldDevice"]),
    "set_preferences": _by(_member, **BODIES["NewPreferences"]),
    "read_reach": _by(_member),
    "open_session": _by(Stage.newcomer),
    "read_session": _session,
    "close_session": _session,
    "sign_out_everywhere": _by(Stage.newcomer),
    "create_group": lambda stage: Ask(stage.organiser, {}, stage.terms()),
    "list_groups": _by(_member),
    "join_group": lambda stage: Ask(stage.payer(), {}, {"code": stage.code}),
    "read_group": _of_running(),
    "invite": lambda stage: Ask(stage.organiser, {"group": stage.forming}, {"valid_days": 7}),
    "mail_invitation": _mail,
    "list_invitations": lambda stage: Ask(stage.organiser, {"group": stage.forming}),
    "approve_member": _on_request,
    "reject_member": _on_request,
    "remove_member": _let_in,
    "read_agreement": _of_running(),
    "accept_agreement": _agreement,
    "lock_group": _lock,
    "cancel_group": lambda stage: Ask(stage.organiser, {"group": stage.new_group(stage.organiser)}),
    "read_schedule": _of_running(),
    "read_balances": _of_running(),
    "edit_group": _draft(name="Another name"),
    "publish_group": _draft(),
    "list_public_groups": _by(_member),
    "preview_group": lambda stage: Ask(stage.newcomer(), {}, {"code": stage.code}),
    "revoke_invitation": _invitation,
    "withdraw_request": lambda stage: Ask(stage.requested(), {"group": stage.forming}),
    "assign_role": _role,
    "import_group": _import,
    "read_statement": _of_running(),
    "read_group_statement": _of_running("organiser"),
    "read_audit": _staff("auditor"),
    "list_accesses": _of_running(),
    "list_messages": _of_running(),
    "post_message": _post,
    "edit_message": _edit,
    "delete_message": _delete,
    "report_message": _report,
    "moderate_message": _moderate,
    "mark_messages_read": _read_mark,
    "mute_member": _about_member(muted=True),
    "silence_member": _about_member(days=0),
    "list_disputes_to_decide": _staff("support"),
    "list_disputes": _of_running(),
    "open_dispute": _new_dispute,
    "read_dispute": _in_dispute(),
    "add_to_dispute": _in_dispute(**BODIES["DisputeEntry"]),
    "withdraw_dispute": _in_dispute(),
    "take_up_dispute": _take_up,
    "decide_dispute": _decision,
    "appeal_dispute": _appeal,
    "rank_cycles": _ranking,
    "set_order": _order,
    "read_place": _of_running(),
    "read_progress": _of_running(),
    "read_standing": _of_running(),
    "leave_group": _leaver,
    "ask_for_time": _time,
    "ask_approval": _new_swap,
    "list_approvals": _of_running(),
    "approve": _answer_swap(asker=False),
    "refuse_approval": _answer_swap(asker=False),
    "withdraw_approval": _answer_swap(asker=True),
    "contribution_receipt": _contribution_receipt,
    "payout_receipt": _payout_receipt,
    "start_setup": _by(Stage.newcomer, kind="card", return_url=LINKS["return_url"]),
    "finish_setup": _finish_setup,
    "attach_method": _by(Stage.newcomer, method=CARD),
    "list_methods": _by(_member),
    "make_default": _method,
    "remove_method": _method,
    "list_contributions": _by(_member),
    "pay_contribution": _pay,
    "calculate_affordability": _by(_member, **BODIES["NewCalculation"]),
    "submit_assessment": _by(Stage.assessed, **BODIES["NewAssessment"]),
    "list_assessments": _by(Stage.assessed),
    "read_assessment": _own_assessment(),
    "request_assessment_review": _contested,
    "add_representation": _own_assessment(**BODIES["NewRepresentation"]),
    "list_assessment_reviews": _staff("finance"),
    "read_assessment_review": _by_review(),
    "decide_assessment_review": _by_review(**BODIES["ReviewDecision"]),
    "read_portfolio": _staff("finance"),
    "read_circle_risk": lambda stage: Ask(stage.staff["finance"], {"circle": stage.group}, headers=LOOKING),
    "read_earliest_turn": lambda stage: Ask(_member(stage), query=SMALL | {"members": 5}),
    "list_fraud_findings": lambda stage: Ask(stage.staff["finance"], headers=LOOKING),
    "record_evidence": lambda stage: Ask(
        stage.staff["finance"], {"person": stage.assessed().uid}, BODIES["NewEvidence"], headers=LOOKING
    ),
    "read_own_evidence": _by(Stage.assessed),
    "list_stale_assessments": lambda stage: Ask(stage.staff["finance"], headers=LOOKING),
    "read_fraud_findings": _of_suspect(),
    "decide_fraud_finding": _of_suspect(**BODIES["FindingDecision"]),
    "read_health_questions": _by(_member),
    "answer_financial_health": _by(Stage.newcomer, **BODIES["NewHealthAnswers"]),
    "read_financial_health": _health,
}
"""By the operation's name."""


def unknown(stage: Stage) -> Ask:
    """Of an operation that has no recipe yet: a member, about whatever the running circle holds."""
    _, message = stage.talked_of()
    path = {"group": stage.group, "member": stage.members[1].uid, "message": message}
    return Ask(stage.members[2], path | {"person": stage.members[1].uid})
