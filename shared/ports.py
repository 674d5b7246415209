"""What the services need from outside, as Protocols. Adapters fulfil them; `bootstrap` wires the two.

Nothing here knows an SDK. A port's docstring is its contract: the suites in tests/contract hold every
adapter of a port to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast

from shared.domain.record import record

if TYPE_CHECKING:
    from shared.domain.contributions import FailureKind
    from shared.domain.documents import Document
    from shared.domain.identity import CheckState
    from shared.domain.words import MethodKind

D = TypeVar("D", bound="Document")

# --- the store --------------------------------------------------------------------------------------------

Data = Mapping[str, Any]
"""A document's fields: str, int, bool, None, datetime (UTC), lists and maps of these. Never float."""


@record
class Snapshot:
    """One document as it was read. `data` and `version` are None where there is no document."""

    path: str
    data: Data | None = None
    version: object | None = None
    _document: Document | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def exists(self) -> bool:
        return self.data is not None

    def document(self, kind: type[D]) -> D:
        """What is there, as the domain sees it: validated once, for neither it nor this ever changes.

        Raises pydantic's ValidationError for what is none of this kind, or where there is nothing.
        """
        if not isinstance(self._document, kind):
            # Past `frozen`, which holds for everybody else.
            object.__setattr__(self, "_document", kind.model_validate(dict(self.data or {})))
        return cast("D", self._document)


@record
class Create:
    """Write a document that must not exist yet; `AlreadyExists` otherwise."""

    path: str
    data: Data


@record
class Update:
    """Replace top-level fields of a document that must still be as `version` says; `Stale` otherwise.

    As in Firestore, fields that are not named stay, and an update that changes nothing keeps the version:
    whoever guards a decision with it must change a field (DESIGN.md, the store).
    """

    path: str
    data: Data
    version: object


@record
class Increment:
    """Add integers to fields, creating document and fields at need. Needs no read; lets others through.

    `amounts` maps a field path, as a tuple of names, to the amount: {("debits", "cash:stripe"): 10_000}.
    `version` guards it like an Update where given: for debits of `reserve` and `credit` alone.
    """

    path: str
    amounts: Mapping[tuple[str, ...], int]
    version: object | None = None


@record
class Put:
    """Write a document whole, whatever stood there. For readings and marks that decide nothing."""

    path: str
    data: Data


@record
class Delete:
    """Remove a document; guarded like an Update where `version` is given."""

    path: str
    version: object | None = None


Write = Create | Update | Increment | Put | Delete

Operator = Literal["==", "<", "<=", ">", ">=", "in", "array_contains", "array_contains_any"]


@record
class Query:
    """Documents of a collection, by path, or of every collection of that name (`group=True`).

    Ordered by `order_by` (a leading '-' turns one round), then by document path, the way of the last of them.
    Documents without such a field are left out. Fields may be dotted paths. A range needs its field in
    `order_by`; None is asked for with == alone. `after` is the `cursor` of an earlier page.
    """

    collection: str
    where: Sequence[tuple[str, Operator, Any]] = ()
    order_by: Sequence[str] = ()
    limit: int = 100
    after: str | None = None
    group: bool = False


@record
class Page:
    """What a query found, and the cursor of the next page (None at the end)."""

    documents: list[Snapshot] = field(default_factory=list)
    cursor: str | None = None


class AlreadyExists(Exception):
    """A `Create` of the batch found its document there. Nothing of the batch was written."""


class Stale(Exception):
    """A guarded document had changed since it was read. Nothing of the batch was written."""


class StoreUnavailable(Exception):
    """The store did not do it; nothing was written. Try again later."""


class OutcomeUnknown(Exception):
    """The answer to a commit was lost: it may have applied. Load again to see."""


class Store(Protocol):
    """Documents under slash-separated paths, read in one go and changed in atomic batches.

    No read-write transactions (DESIGN.md, the store): safety comes from `Create` and from versions alone.
    """

    def load(self, *paths: str) -> list[Snapshot]:
        """Read documents in one round trip, in the order asked. Not a snapshot: they may be torn."""
        ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply all writes or none, in one round trip. A document stands once in a batch (ValueError).

        Raises AlreadyExists, Stale, StoreUnavailable (nothing written) or OutcomeUnknown; ValueError for what
        no store takes (a float, a datetime without zone, more than 1 MiB a document or 500 writes). Where
        several writes fail, the first of them speaks.
        """
        ...

    def query(self, query: Query) -> Page:
        """Read one page of a query. Not a snapshot, and it admits phantoms: decide nothing by it.

        ValueError for a query that Firestore would refuse, or a cursor that is not one of this query.
        """
        ...

    def gather(self, paths: Sequence[str], *queries: Query) -> tuple[list[Snapshot], list[Page]]:
        """`load` documents and `query` a page of each query side by side: the wait is that for one of them.

        Answers come in the order asked, and all or none: what one request raises, the whole raises. Not a
        snapshot: each request is answered at a moment of its own, in any order. Decide nothing by it.
        """
        ...

    def read_consistently(self, *queries: Query) -> list[list[Snapshot]]:
        """Read queries whole (no `limit`, no `after`), as of one moment: for auditor, sealer, statements."""
        ...

    def count(self, query: Query) -> int:
        """How many documents a query has in all (no `limit`, no `after`), without reading them."""
        ...


# --- time, chance, names ----------------------------------------------------------------------------------


class Clock(Protocol):
    """The two clocks (DESIGN.md § 6)."""

    def now(self) -> datetime:
        """The circle's calendar, in UTC: due dates, graces, cleared money. In local mode it can jump."""
        ...

    def wall(self) -> datetime:
        """Wall time, in UTC: leases, key expiry, TTLs, `committed_at`. Never jumps."""
        ...


class Chance(Protocol):
    """Randomness as an argument, so that a simulation can replay it."""

    def token(self, bytes_count: int) -> bytes:
        """Unguessable bytes: ids, invitation codes, the seed of a draw."""
        ...

    def jitter_seconds(self, at_most: float) -> float:
        """A random wait between 0 and `at_most`."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait before the next try."""
        ...


class BankHolidays(Protocol):
    """England and Wales bank holidays, as banks and Bacs keep them."""

    def __contains__(self, day: object) -> bool: ...


class Secrets(Protocol):
    """Secrets by short name, at their pinned version. Raises SecretUnavailable."""

    def current(self, name: str) -> bytes: ...

    def accepted(self, name: str) -> list[bytes]:
        """The current and, while it rotates, the previous value."""
        ...


class SecretUnavailable(Exception):
    """The secret could not be read now, or no version of it is set."""


# --- personal data ----------------------------------------------------------------------------------------


class Sealer(Protocol):
    """Seals text under one owner's key. `about` says what the text is and where it stands ("message:msg_1").

    Owner and `about` are authenticated with it: sealed text that is moved to another place does not open.
    """

    def seal(self, text: str, about: str) -> str: ...
    def open(self, sealed: str, about: str) -> str:
        """Raises domain `Unreadable`."""
        ...

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed with the owner's newest key."""
        ...


class Vault(Protocol):
    """A key for each owner, a uid or a group's id: `sealer` makes it at its first need.

    All raise domain `Erased` once the owner's key is destroyed, which `domain.keys.Key.destroyed` does in the
    commit of whoever decides it. The others return False where nothing was to do, or somebody was quicker.
    """

    def sealer(self, owner: str) -> Sealer:
        """One read of the store, for any number of texts. Not to be kept beyond a request."""
        ...

    def rewrap(self, owner: str) -> bool:
        """Wrap the owner's keys with the current master key, while the former is still accepted."""
        ...

    def renew(self, owner: str, now: datetime) -> bool:
        """Give the owner a new key for what is sealed from now on; the former still opens what it sealed.

        Not while a former one is still there: then it is its turn to be retired.
        """
        ...

    def retire(self, owner: str, renewed_by: datetime) -> bool:
        """Forget all but the newest key, if that was given by then: only when all was sealed anew since."""
        ...


# --- messages out -----------------------------------------------------------------------------------------


class Publisher(Protocol):
    """Pub/Sub. `publish` returns when the message is confirmed, or raises PublishFailed."""

    def publish(self, topic: str, message: Mapping[str, Any]) -> None: ...


class PublishFailed(Exception):
    """The message was not confirmed. It may have been sent: consumers dedupe."""


@record
class Mail:
    """One e-mail to one address, as plain text. It lives for one call: never stored, queued or logged."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """E-mail. `send` returns when a mail server has taken the mail over; raises MailFailed."""

    def send(self, mail: Mail) -> None: ...


class MailFailed(Exception):
    """No mail server took the mail over. Its message never holds the address.

    `refused`: the server will not have this address, and the same again changes nothing; else it may pass.
    """

    def __init__(self, why: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(why)


class TaskQueue(Protocol):
    """Cloud Tasks: one named HTTP task to the `submit` function."""

    def enqueue(self, name: str, body: Mapping[str, Any], at: datetime | None = None) -> None:
        """Queue a task, no earlier than `at`. A name that was used within the hour changes nothing."""
        ...


class QueueFailed(Exception):
    """The task may not have been queued. The next tick finds the work again."""


# --- what stands outside the store -------------------------------------------------------------------------


class Anchors(Protocol):
    """Small texts that nobody can change or remove once they are written: a retention-locked bucket."""

    def put(self, name: str, text: bytes) -> None:
        """Write a text once. What stands under that name already, stays. Raises AnchorsUnavailable."""
        ...

    def all(self) -> list[tuple[str, bytes]]:
        """Every text with its name, in the order of the names. Raises AnchorsUnavailable."""
        ...


class AnchorsUnavailable(Exception):
    """The texts could not be reached now, or no place for them is set."""


# --- money at a processor ---------------------------------------------------------------------------------


@record
class Movement:
    """One line of the processor's own balance: what moved, what it cost, and when it can be spent."""

    reference: str
    # collection, collection_pending (booked before its bank has answered, where it says so),
    # collection_failed (what takes that back), refund, dispute, dispute_won, transfer, transfer_reversal,
    # capital, fee, other
    kind: str
    amount_pence: int  # signed: what reached or left our balance, before the fee
    fee_pence: int
    currency: str
    created_at: datetime
    available_on: datetime
    source: str  # the object at the processor that caused it
    labels: Mapping[str, str] = field(default_factory=dict)  # our ids on that object
    source_pence: int | None = None  # its amount there; None: not read, or other money


@record
class CollectionRequest:
    """One try at collecting. `attempt` is the idempotency key, and stands in the labels."""

    attempt: str
    group: str
    contribution: str
    cycle: int
    payer: str
    method: str
    method_kind: MethodKind
    amount_pence: int


@record
class Collection:
    """What the processor says of one try at collecting, now."""

    reference: str
    labels: Mapping[str, str]
    state: Literal["processing", "requires_action", "settled", "failed", "cancelled"]
    amount_pence: int
    currency: str
    live: bool
    movement: Movement | None = None  # from 'settled' on
    failure: FailureKind | None = None
    failure_code: str | None = None  # the processor's own word, for staff
    action_url: str | None = None  # where the person authenticates


@record
class Method:
    """A payment method at the processor, as far as a person may see it."""

    reference: str
    payer: str | None
    kind: MethodKind
    state: Literal["pending", "active", "inactive"]
    hint: str  # "Visa •••• 4242"
    mandate: str | None = None
    expires: str | None = None  # YYYY-MM
    live: bool = False
    fingerprint: str | None = None  # the same for the same card or bank account, whoever holds it
    revoked: bool = False  # its owner, or their bank, has cancelled the mandate


@record
class MethodSetup:
    """A set-up that the person finishes at the processor, by `client_secret` in an app or by `url`."""

    reference: str
    state: Literal["open", "complete", "failed"]
    client_secret: str | None
    url: str | None
    method: Method | None
    labels: Mapping[str, str] = field(default_factory=dict)


@record
class Payer:
    """A person who can be collected from."""

    reference: str
    currency: str | None  # the only money that can be collected; None: any
    live: bool
    labels: Mapping[str, str] = field(default_factory=dict)


@record
class Recipient:
    """A person's account at the processor, where pots are sent."""

    reference: str
    can_receive: bool  # transfers in and bank payouts out
    details_submitted: bool
    needs: tuple[str, ...]  # what the processor still asks for
    disabled_reason: str | None
    bank: str | None  # fingerprint-like reference of the bank account, changes with it
    live: bool
    labels: Mapping[str, str] = field(default_factory=dict)


@record
class IdentitySession:
    """One look at a person's document, at the processor. What it saw stays there."""

    reference: str
    state: CheckState
    url: str | None  # where the person goes on, while it is open or failed
    live: bool
    labels: Mapping[str, str] = field(default_factory=dict)


@record
class TransferRequest:
    """One try at sending a payout. `attempt` is the idempotency key, and stands in the labels."""

    attempt: str
    group: str
    payout: str
    cycle: int
    recipient: str
    amount_pence: int


@record
class Transfer:
    """Money that left our balance for a person's account at the processor."""

    reference: str
    labels: Mapping[str, str]
    amount_pence: int
    reversed_pence: int
    currency: str
    recipient: str
    live: bool
    movement: Movement | None
    reversals: tuple[Movement, ...] = ()  # one for each reversal, oldest first, labelled as that was


@record
class BankPayout:
    """Money on its way from a person's account at the processor to their bank."""

    reference: str
    recipient: str
    labels: Mapping[str, str]
    state: Literal["on_its_way", "received", "failed", "cancelled"]
    amount_pence: int
    currency: str
    live: bool
    arrives_on: datetime | None = None
    failure_code: str | None = None
    destination: str | None = None  # the bank account it goes to, by reference


@record
class Refund:
    """Money given back to a payer."""

    reference: str
    collection: str
    labels: Mapping[str, str]  # those of the collection
    state: Literal["processing", "done", "failed"]
    amount_pence: int
    currency: str
    live: bool
    movement: Movement | None
    failure_movement: Movement | None = None  # the money came back to us
    asking: str | None = None  # the `refund` of the labels it was asked for with; None: not by us


@record
class Dispute:
    """A payer's bank took money back. `movements` holds each line that it caused, in order."""

    reference: str
    collection: str
    labels: Mapping[str, str]  # those of the collection
    state: Literal["open", "won", "lost"]
    amount_pence: int
    currency: str
    live: bool
    movements: tuple[Movement, ...] = ()


@record
class Unreadable:
    """An object at the processor that is not as any that we made: altered, or of a kind unknown here."""

    reference: str
    reason: str


@record
class NothingNew:
    """A genuine event of a type that we know and do not follow: another event tells what it tells."""


@record
class UnknownEvent:
    """A genuine event of a type that we do not know, or about something that is not there."""

    reason: str


ProcessorNews = (
    Collection
    | IdentitySession
    | MethodSetup
    | Method
    | Recipient
    | Transfer
    | BankPayout
    | Refund
    | Dispute
    | NothingNew
    | UnknownEvent
)


@record
class ThinEvent:
    """What is published of a processor's event: no personal data, no amounts to trust."""

    id: str
    type: str
    account: str | None
    object_id: str
    live: bool
    created_at: datetime


@record
class ProcessorBalance:
    """Our own balance at the processor, in pence."""

    available_pence: int
    pending_pence: int


class PaymentRefused(Exception):
    """The processor understood and said no. Nothing was made.

    `code` is its own word; `failure` says what that means for a collection, where it means anything for one.
    """

    def __init__(self, code: str, message: str, failure: FailureKind | None = None) -> None:
        self.code = code
        self.failure = failure
        super().__init__(message)


class InsufficientBalance(PaymentRefused):
    """Our available balance, or the account's, is too low for this."""


class RecipientNotReady(PaymentRefused):
    """The person's account cannot take money now."""


class PaymentOutcomeUnknown(Exception):
    """Time-out, cut line, 5xx: it may have happened. Ask again with the same key, or look it up."""


class PaymentsUnavailable(Exception):
    """The processor did not do it (429, 409 in flight): nothing was made. Try again later."""


class PaymentGateway(Protocol):
    """Money in and out through one processor. Knows no circle; carries our ids as labels.

    Each call that moves money takes our own id as its idempotency key: the same call again gives the same
    object, for 24 hours, and a refusal the same refusal: a new try needs a new key. Later than that, `find_…`
    first: it is never refused, for who may not look does not know. Raises PaymentRefused (and its kinds),
    PaymentOutcomeUnknown, PaymentsUnavailable.
    """

    name: str  # the account of the ledger: cash:{name}

    @property
    def live(self) -> bool:
        """Whether this is real money: what comes back with another mark is never booked."""
        ...

    # people
    def open_payer(self, uid: str, email: str | None) -> str: ...
    def start_method_setup(self, uid: str, payer: str, kind: MethodKind, return_url: str) -> MethodSetup: ...
    def method_setup(self, reference: str) -> MethodSetup: ...
    def attach_method(self, uid: str, payer: str, method: str, key: str) -> MethodSetup:
        """Set up a method that the client tokenised with the processor (never card numbers)."""
        ...

    def method(self, reference: str) -> Method: ...
    def detach_method(self, reference: str) -> None: ...
    def open_recipient(self, uid: str, email: str | None) -> Recipient: ...
    def recipient(self, reference: str) -> Recipient: ...
    def onboarding_url(self, recipient: str, return_url: str, refresh_url: str) -> str: ...
    def start_identity_check(self, uid: str, return_url: str, key: str) -> IdentitySession: ...
    def identity_check(self, reference: str) -> IdentitySession: ...

    # money in
    def collect(self, request: CollectionRequest) -> Collection: ...
    def find_collection(self, request: CollectionRequest) -> Collection | None: ...
    def collection(self, reference: str) -> Collection: ...
    def cancel_collection(self, reference: str) -> Collection: ...
    def refund(self, collection: str, amount_pence: int, key: str, labels: Mapping[str, str]) -> Refund:
        """Give a part of a collection back. One that fails does so later, as news: it is not refused."""
        ...

    def refunds(self, collection: str) -> list[Refund]: ...
    def dispute(self, reference: str) -> Dispute: ...

    # money out
    def send(self, request: TransferRequest) -> Transfer: ...
    def find_transfer(self, request: TransferRequest) -> Transfer | None: ...
    def transfer(self, reference: str) -> Transfer: ...
    def reverse_transfer(
        self, transfer: str, amount_pence: int, key: str, labels: Mapping[str, str]
    ) -> Transfer: ...
    def pay_to_bank(self, request: TransferRequest) -> BankPayout:
        """Send what a transfer brought on to the person's bank; keyed by `attempt`, like the transfer."""
        ...

    def find_bank_payout(self, request: TransferRequest) -> BankPayout | None: ...
    def bank_payout(self, recipient: str, reference: str) -> BankPayout: ...

    # the books
    def balance(self) -> ProcessorBalance: ...
    def sweeps_automatically(self) -> bool:
        """Whether the processor would pay our balance out by itself: must be False before money moves."""
        ...

    def movements(self, since: datetime | None = None) -> list[Movement]:
        """Every line of our own balance, oldest first."""
        ...

    def collections(self) -> list[Collection | Unreadable]:
        """Every try at collecting, whether it brought money or not."""
        ...

    def transfers(self) -> list[Transfer | Unreadable]: ...
    def disputes(self) -> list[Dispute | Unreadable]: ...
    def bank_payouts(self, recipient: str) -> list[BankPayout | Unreadable]: ...
    def payers(self) -> list[Payer]:
        """Everybody who can be collected from."""
        ...

    def methods(self, payer: str) -> list[Method | Unreadable]:
        """What a payer can be collected by; a bank account's mandate is not asked for here."""
        ...

    def recipients(self) -> list[Recipient]:
        """Everybody's account to be paid into."""
        ...

    # news
    def verify_webhook(
        self, body: bytes, signature: str, endpoint: Literal["platform", "connect"]
    ) -> ThinEvent:
        """Check signature, age and form of a callback. Raises domain `BadSignature`."""
        ...

    def read(self, event: ThinEvent) -> ProcessorNews:
        """Fetch anew what an event is about: events come late, twice and in any order."""
        ...

    def events(self, since: datetime, account: str | None = None) -> list[ThinEvent]:
        """What happened since, oldest first: for callbacks that never came."""
        ...


# --- people -----------------------------------------------------------------------------------------------


@record
class Identity:
    """Who a token speaks for."""

    uid: str
    email: str | None
    email_verified: bool
    phone: str | None
    roles: frozenset[str]  # staff roles, from custom claims
    authenticated_at: datetime
    second_factor: bool = False


class IdentityProvider(Protocol):
    """Firebase Auth. Raises domain `BadToken`, or `TryAgainLater` where it does not answer."""

    def verify(self, token: str) -> Identity: ...
    def open_session(self, token: str, lifetime_seconds: int) -> str:
        """A session that stands for the person of this token, as text that `verify_session` takes."""
        ...

    def verify_session(self, session: str) -> Identity: ...
    def sign_out_everywhere(self, uid: str) -> None:
        """No token or session from before this moment is good any more."""
        ...

    def remove(self, uid: str) -> None:
        """Forget the person; one who is not there is forgotten already."""
        ...

    def check_app(self, token: str) -> None:
        """Whether an App Check token is of one of our own apps. Raises domain `AppCheckFailed`."""
        ...


class CallerCheck(Protocol):
    """OIDC tokens of Cloud Tasks and Pub/Sub push. Raises domain `BadToken`."""

    def verify(self, token: str) -> None: ...
