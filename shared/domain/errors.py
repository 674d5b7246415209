"""What is refused, and what must never happen: one class per refusal, one sentence each.

A `Refusal` is an answer to a person: its sentence says what to do, its attributes hold what was refused.
Its parent says which kind it is; `shared.web.problems` turns kinds into HTTP statuses. A `Broken` is ours:
money or state that cannot be. It stops the work, is alerted, and never passes as a refusal.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AjoError(Exception):
    """The one family. `code` is stable and public; `sentence` is filled from the keyword arguments."""

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "Something is not right."

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.sentence.format_map(facts))

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it is not lost between two processes: pickle would call `__init__` without its keywords."""
        return _without_init, (type(self), self.args), self.__dict__


def _without_init(kind: type[AjoError], args: tuple[Any, ...]) -> AjoError:
    return kind.__new__(kind, *args)


class Refusal(AjoError):
    """The rules do not allow it. Nothing was written."""


class Broken(AjoError):
    """Money or state that cannot be. Never shown as a refusal: quarantined and alerted."""


class BadSettings(Exception):
    """The settings cannot be used. The message has one sentence for each, with its name."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))


# --- kinds of refusal -------------------------------------------------------------------------------------


class Invalid(Refusal):
    """What was sent cannot be used as it is."""

    def __init__(self, *, field: str | None = None, **facts: Any) -> None:
        self.field = field
        super().__init__(**facts)


class Unauthenticated(Refusal):
    """Nobody we know."""


class Forbidden(Refusal):
    """Known, but not allowed."""


class NotFound(Refusal):
    """Not there, or not for this person to know."""


class Conflict(Refusal):
    """Allowed in another state than the present one."""


class TooMany(Refusal):
    """Allowed, but not so often. `retry_after_seconds` says when."""


class Busy(Refusal):
    """We could not do it now; the same request later may succeed."""


# --- requests ---------------------------------------------------------------------------------------------


class InvalidRequest(Invalid):
    code = "invalid_request"
    sentence = "The request has fields that cannot be used; `errors` names each."

    def __init__(self, *, errors: list[dict[str, str]]) -> None:
        self.errors = errors
        super().__init__()


class MalformedBody(Invalid):
    code = "malformed_body"
    sentence = "The body is not valid JSON."


class BodyTooLarge(Invalid):
    code = "body_too_large"
    sentence = "The body is larger than {limit_bytes} bytes."


class UnsupportedMediaType(Invalid):
    code = "unsupported_media_type"
    sentence = "Send the body as application/json."


class IdempotencyKeyMissing(Invalid):
    code = "idempotency_key_missing"
    sentence = "Send an Idempotency-Key header of 8 to 128 visible characters with every POST."


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used with another body. Use a new key for a new request."


class StillRunning(Conflict):
    code = "still_running"
    sentence = "A request with this Idempotency-Key is still being worked on. Ask again in a moment."


class NoToken(Unauthenticated):
    code = "no_token"
    sentence = "Sign in: send `Authorization: Bearer <token>`."


class BadToken(Unauthenticated):
    code = "bad_token"
    sentence = "The token is not valid, expired or revoked. Sign in again."


class NotAllowed(Forbidden):
    code = "not_allowed"
    sentence = "You may not do this here."


class NoSuchThing(NotFound):
    code = "not_found"
    sentence = "There is no such {thing}, or it is not yours to see."


class Erased(NotFound):
    code = "erased"
    sentence = "This was erased, and nobody can read it any more."


class MethodNotAllowed(Invalid):
    code = "method_not_allowed"
    sentence = "This address does not take {method}."


class TooManyRequests(TooMany):
    code = "too_many_requests"
    sentence = "Too many requests. Try again in {retry_after_seconds} seconds."


class TryAgainLater(Busy):
    code = "try_again_later"
    sentence = "We could not finish this now, and nothing was lost. Try again in a moment."


class BadSignature(Invalid):
    code = "bad_signature"
    sentence = "The signature is missing, forged or older than 300 seconds."


# --- people -----------------------------------------------------------------------------------------------


class WrongBirthDate(Invalid):
    code = "wrong_birth_date"
    sentence = "This cannot be somebody's date of birth."


class TooYoung(Invalid):
    code = "too_young"
    sentence = "Saving in a circle is a promise of money: you need to be {age} or older."


class WrongPostcode(Invalid):
    code = "wrong_postcode"
    sentence = "This is not a UK postcode."


class UnknownText(Invalid):
    code = "unknown_text"
    sentence = "There is no such text. Today's has the version {current}."


class EmailNotVerified(Forbidden):
    code = "email_not_verified"
    sentence = "Verify your e-mail address first: follow the link that was sent to it, then sign in again."


class SecondFactorMissing(Forbidden):
    code = "second_factor_missing"
    sentence = "Staff sign in with a second factor."


class ReasonMissing(Invalid):
    code = "reason_missing"
    sentence = "Say why you look at what is not yours: send an Access-Reason header of 10 to 200 letters."


class CsrfTokenWrong(Forbidden):
    code = "csrf_token_wrong"
    sentence = "Send the session's csrf_token as X-CSRF-Token with everything that changes something."


class AppCheckFailed(Forbidden):
    code = "app_check_failed"
    sentence = "This is for our own apps: the App Check token is missing or not valid."


class SignInNotRecent(Forbidden):
    code = "sign_in_not_recent"
    sentence = "Sign in again: this needs a sign-in of the last {minutes} minutes."


class IdentityInTheWay(Conflict):
    code = "identity_in_the_way"
    sentence = "Your identity is {state}: it does not allow you to {ability}."


class AccountClosed(Conflict):
    code = "account_closed"
    sentence = "This account is closed."


class CannotBeErased(Conflict):
    code = "cannot_be_erased"
    sentence = "Your data cannot be erased yet. {reasons}"


# --- groups -----------------------------------------------------------------------------------------------


class WrongAmount(Invalid):
    code = "wrong_amount"
    sentence = "A contribution is £50, £100, £500 or £800; {amount_pence} pence is none of these."


class WrongSize(Invalid):
    code = "wrong_size"
    sentence = "A circle has 5 to 10 members, not {members}."


class WrongReserve(Invalid):
    code = "wrong_reserve"
    sentence = "A reserve is kept under the policy 'reserve' alone, of at most {amount_pence} pence a pot."


class WrongFrequency(Invalid):
    code = "wrong_frequency"
    sentence = "A circle saves weekly or monthly, not {frequency}."


class WrongStartDate(Invalid):
    code = "wrong_start_date"
    sentence = "The first contribution can be due from {earliest} to {latest}, not on {first_due_date}."


class GroupNotOpen(Conflict):
    code = "group_not_open"
    sentence = "The group is {state}; people can join or change it only while it is recruiting."


class GroupFull(Conflict):
    code = "group_full"
    sentence = "The group has all of its {members} members. Ask with `waiting_list` to wait for a place."


class PlaceTaken(Conflict):
    code = "place_taken"
    sentence = "Turn {turn} has its member already: nobody else is invited to it."


class AlreadyMember(Conflict):
    code = "already_member"
    sentence = "You are already in this group, or have asked to join."


class WrongMembershipState(Conflict):
    code = "wrong_membership_state"
    sentence = "This needs a membership that is {needed}; it is {state}."


class AgreementChanged(Conflict):
    code = "agreement_changed"
    sentence = "The agreement is not the one that you read. Read it again, then accept it."


class NotEveryoneAgreed(Conflict):
    code = "not_everyone_agreed"
    sentence = "The group locks when all {members} members have accepted the agreement; {agreed} have."


class NotReadyForMoney(Conflict):
    code = "not_ready_for_money"
    sentence = "Before you accept, you need {missing}."


class InvitationInvalid(NotFound):
    code = "invitation_invalid"
    sentence = "This invitation is not valid, was revoked or has expired. Ask the organiser for a new one."


# --- a running circle -------------------------------------------------------------------------------------


class NotRunning(Conflict):
    code = "not_running"
    sentence = "This is for a circle that is running; this one is {state}."


class OrganiserNeeded(Conflict):
    code = "organiser_needed"
    sentence = "Hand the organiser's role to somebody else first, or call the circle off."


class AlreadyHadTurn(Conflict):
    code = "already_had_turn"
    sentence = "After one's own turn there is no way out: what was received is owed."


class CycleOpen(Conflict):
    code = "cycle_open"
    sentence = "Cycle {cycle} is open already: its turn can no longer be changed."


class PotsDiffer(Conflict):
    code = "pots_differ"
    sentence = (
        "Since somebody left, cycle {one} brings {one_pence} pence and cycle {other} {other_pence}: "
        "their turns can no longer change places."
    )


class NotAPermutation(Invalid):
    code = "not_a_permutation"
    sentence = "Name each of the {count} once, and nobody else."


class OrderNotByThisMethod(Conflict):
    code = "order_not_by_this_method"
    sentence = "The order of this circle is made by another method: {method}."


class OrderNotReady(Conflict):
    code = "order_not_ready"
    sentence = "The order is not ready: {missing}."


class TurnsNotOpen(Conflict):
    code = "turns_not_open"
    sentence = (
        "By trust, these turns are earlier than the records here support: {turns}. Members open earlier "
        "turns by being assessed for a circle like this and by paying on time; a circle that keeps a reserve "
        "of {reserve} from each pot needs no record."
    )


class ApprovalClosed(Conflict):
    code = "approval_closed"
    sentence = "This request is {state}; it can no longer be answered."


class TwoPeopleNeeded(Conflict):
    code = "two_people_needed"
    sentence = (
        "More than {above_pence} pence goes nowhere by one person alone: this is {pence}. Another of staff "
        "must have consented to it."
    )


class OwnRequest(Forbidden):
    code = "own_request"
    sentence = "Nobody approves what they asked for themselves."


class PlanDoesNotFit(Invalid):
    code = "plan_does_not_fit"
    sentence = "The instalments come to {planned_pence} pence; {owed_pence} are owed."


class NothingOwed(Conflict):
    code = "nothing_owed"
    sentence = "Nothing is owed here: there is nothing to plan."


class HardshipTooLong(Invalid):
    code = "hardship_too_long"
    sentence = "A freeze ends after today and by {latest}; then it can be asked for again."


class FeeOnlyFalls(Conflict):
    code = "fee_only_falls"
    sentence = "The fee was agreed at {fee_pence} pence a pot; without a new agreement it can only fall."


class NoSuchDebt(Conflict):
    code = "no_such_debt"
    sentence = "There is no open debt of this kind."


class CapReached(Conflict):
    code = "cap_reached"
    sentence = (
        "One person is in at most {groups_max} running circles and promises at most {monthly_pence_max} "
        "pence a month in all; this would make {groups} and {monthly_pence}."
    )


class InvitationForAnother(Forbidden):
    code = "invitation_for_another"
    sentence = "This invitation was sent to another address. Sign in with the address that it was sent to."


class NotADraft(Conflict):
    code = "not_a_draft"
    sentence = "The group is {state}; its terms can be changed only while it is a draft."


class GroupChanged(Conflict):
    code = "group_changed"
    sentence = "The group was changed since you read it. Read it again, then change it."


class ImportRefused(InvalidRequest):
    code = "import_refused"
    sentence = "The file cannot be taken over as it is; `errors` names each row and why. Nothing was written."


# --- messages and disputes --------------------------------------------------------------------------------


class Silenced(Conflict):
    code = "silenced"
    sentence = "You cannot write here until {until}."


class TooLateToEdit(Conflict):
    code = "too_late_to_edit"
    sentence = "A message can be changed for {minutes} minutes. You can still take it back."


class MessageGone(Conflict):
    code = "message_gone"
    sentence = "The message was taken back or hidden."


class AlreadyReported(Conflict):
    code = "already_reported"
    sentence = "You have reported this message already; somebody will look at it."


class DisputeExists(Conflict):
    code = "dispute_exists"
    sentence = "You have raised this before. Add to that dispute, or appeal against its decision."


class DisputeClosed(Conflict):
    code = "dispute_closed"
    sentence = "The dispute is {state}."


class DisputeNotReady(Conflict):
    code = "dispute_not_ready"
    sentence = "The other side has not answered yet and has until {respond_by}."


class TooManyEntries(Conflict):
    code = "too_many_entries"
    sentence = "A dispute holds {entries} entries, and this one is full."


class AppealNotPossible(Conflict):
    code = "appeal_not_possible"
    sentence = "A decision can be appealed against once, within {days} days."


class RemedyImpossible(Conflict):
    code = "remedy_impossible"
    sentence = "This remedy cannot be carried out: {why}."


# --- payments ---------------------------------------------------------------------------------------------


class UnknownPaymentMethod(NotFound):
    code = "unknown_payment_method"
    sentence = "You have no such payment method."


class PaymentMethodNotReady(Conflict):
    code = "payment_method_not_ready"
    sentence = "The payment method is not confirmed yet: finish its set-up first."


class HouseTooThin(Conflict):
    code = "house_too_thin"
    sentence = "No new circle can start at the moment. We are told, and it will be possible again soon."


class NothingReceived(Conflict):
    code = "nothing_received"
    sentence = "No money has moved here yet: there is a receipt once it has."


class NothingToGiveBack(Conflict):
    code = "nothing_to_give_back"
    sentence = "There is nothing to give back: {why}."


class PaymentMethodDeclined(Conflict):
    code = "payment_method_declined"
    sentence = "Your bank did not accept this payment method. Set up another one."


class PaymentMethodStillNeeded(Conflict):
    code = "payment_method_still_needed"
    sentence = "Contributions of yours are still to be collected by this method. Set up another one first."


class NothingDue(Conflict):
    code = "nothing_due"
    sentence = "Nothing is due here: the contribution is {state}."


class ProcessorRefused(Conflict):
    code = "processor_refused"
    sentence = "The payment company did not accept this: {reason}."


class ProcessorUnavailable(Busy):
    code = "processor_unavailable"
    sentence = "The payment company did not answer. Nothing was lost; try again in a moment."


# --- assessments --------------------------------------------------------------------------------------------


class CreditConsentMissing(Conflict):
    code = "credit_consent_missing"
    sentence = "Say yes to the credit assessment first; you can take that back at any time."


class ReviewStillOpen(Conflict):
    code = "review_still_open"
    sentence = "A person is looking at this already; add to it what you want taken into account."


class ReviewNotNeeded(Conflict):
    code = "review_not_needed"
    sentence = "There is nothing here for a person to decide."


class DetailsToCheck(Conflict):
    code = "details_to_check"
    sentence = (
        "A person needs to check some of the details that you gave us before you can go on. We will write to "
        "you if we need anything; you need not do anything now."
    )


class FindingDecided(Conflict):
    code = "finding_decided"
    sentence = "This finding is {state} already."


class ReviewDecided(Conflict):
    code = "review_decided"
    sentence = "This review is {state}. Contest it to have somebody else look afresh."


class ReviewerNotIndependent(Forbidden):
    code = "reviewer_not_independent"
    sentence = "Nobody decides on their own application, or again on what they decided before."


class RepresentationsUnread(Conflict):
    code = "representations_unread"
    sentence = "The person has added something since you read this. Read it, then decide."


class ReviewReasonMissing(Invalid):
    code = "review_reason_missing"
    sentence = "Give the reason for your decision in a sentence of {letters} letters or more."


# --- what must never happen -------------------------------------------------------------------------------


class UnknownTransition(Broken):
    code = "unknown_transition"
    sentence = "A {thing} cannot go from {state} to {to}."


class Unbalanced(Broken):
    code = "unbalanced"
    sentence = (
        "The entries of a fact do not balance in the {book} book: debits {debits}, credits {credits} pence."
    )


class BadEntry(Broken):
    code = "bad_entry"
    sentence = "An entry is not a positive whole number of pence on a known account: {account}, {pence}."


class WrongSplit(Broken):
    code = "wrong_split"
    sentence = "A split of {total_pence} pence came to {sum_pence}."


class FactChanged(Broken):
    code = "fact_changed"
    sentence = "The fact {fact} was recorded before with other contents."


class Mismatch(Broken):
    """What the processor says does not match what we asked for: goes to quarantine, never to the ledger."""

    code = "mismatch"
    sentence = "The processor's {what} is {theirs}, ours is {ours}."


class Unreadable(Broken):
    """Sealed text that was damaged, or put where it does not belong."""

    code = "unreadable"
    sentence = "What was sealed for {owner} as {about} cannot be opened."


class UnknownObject(Broken):
    """A genuine event of the processor about something that we did not make, or do not know."""

    code = "unknown_object"
    sentence = "The processor's {thing} {reference} carries no id of ours."
