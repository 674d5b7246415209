"""What an operator does by hand, on the environment that the shell is set to: see `scripts/ajo --help`."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from shared import bootstrap
from shared.domain.audit import Verdict
from shared.domain.errors import Refusal
from shared.ports import AnchorsUnavailable, Query
from shared.services.context import Command


def main() -> int:
    arguments = _arguments()
    run: Callable[[argparse.Namespace], int] = arguments.run
    return run(arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/ajo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    books = commands.add_parser("reconcile", help="the processor's lines against the journal, and back")
    books.add_argument("--json", action="store_true")
    books.set_defaults(run=reconcile)

    draw = commands.add_parser("draw", help="repeat the draw of a group's order")
    draw.add_argument("what", choices=["verify"])
    draw.add_argument("group")
    draw.set_defaults(run=verify_draw)

    chain = commands.add_parser("audit", help="verify the chain of facts, or export it")
    chain.add_argument("what", choices=["verify", "export"])
    chain.add_argument("group", nargs="?", help="one group; to verify, all of them without it")
    chain.add_argument("--json", action="store_true")
    chain.set_defaults(run=audit)

    owing = commands.add_parser("debts", help="who owes whom in a group")
    owing.add_argument("group")
    owing.add_argument("--json", action="store_true")
    owing.set_defaults(run=debts)

    giving = commands.add_parser("refund", help="give a contribution back, while its pot is still there")
    giving.add_argument("group")
    giving.add_argument("contribution")
    giving.add_argument("--reason", required=True)
    giving.add_argument("--approval", help="the request that two of staff agreed on: above the threshold")
    giving.set_defaults(run=refund)

    bringing = commands.add_parser("reverse", help="bring a payout back from its recipient's account")
    bringing.add_argument("group")
    bringing.add_argument("payout")
    bringing.add_argument("pence", type=int)
    bringing.add_argument("--reason", required=True)
    bringing.add_argument("--approval", help="the request that two of staff agreed on: above the threshold")
    bringing.set_defaults(run=reverse)

    again = commands.add_parser("replay", help="take up again what was parked, once its reason is gone")
    again.add_argument("path", nargs="*", help="quarantine/…; all that is parked without it")
    again.set_defaults(run=replay)

    missed = commands.add_parser("catch-up", help="list what happened at the processor, and publish it")
    missed.set_defaults(run=catch_up)

    parked = commands.add_parser("quarantine", help="what was parked, with its reason")
    parked.add_argument("--json", action="store_true")
    parked.set_defaults(run=quarantine)

    _credit(commands)

    keys = commands.add_parser("keys", help="wrap every key with the current master key, or renew one")
    keys.add_argument("what", choices=["rewrap", "renew"])
    keys.add_argument("owner", nargs="?", help="the uid or the circle whose key to renew")
    keys.set_defaults(run=rotate_keys)
    return parser.parse_args()


def _credit(commands: Any) -> None:
    """The commands about scores."""
    found = commands.add_parser("outcomes", help="scores and what came of them, for scripts/credit_drift")
    found.add_argument("model", choices=["applicant", "member_1m", "member_2m", "member_3m", "member_6m"])
    found.add_argument("--months", type=int, default=6, help="how long after the score is looked at")
    found.set_defaults(run=outcomes)

    models = commands.add_parser("models", help="which versions of a model are out of service")
    models.add_argument("what", choices=["list", "withdraw", "restore"])
    models.add_argument("version", nargs="?", help="as scores name it: applicant-1+0123abcd")
    models.add_argument("--reason", help="needed to withdraw: which fault it has; nobody's name")
    models.set_defaults(run=withdrawn_models)


def reconcile(arguments: argparse.Namespace) -> int:
    """Exits 1 where a penny is unexplained."""
    from shared.services.reconcile import reconcile as report

    found = report(bootstrap.context())
    if arguments.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['movements']} lines at the processor, {found['facts']} facts, {found['groups']} groups"
        )
        print(f"ledger {found['ledger']}; the house bore {found['house_pence']} pence")
        for one in found["differences"]:
            print(f"{one['kind']:17} {one['where']}: {one['what']}\n{'':17} → {one['todo']}")
        print(f"{len(found['differences'])} differences")
    return 1 if found["differences"] else 0


def verify_draw(arguments: argparse.Namespace) -> int:
    """Exits 1 where the revealed seed is not the committed one, or gave another order than the lock's.

    Turns may have changed hands since; of an order by another method only the seed is held to its hash.
    """
    from shared.domain.groups import group_ref
    from shared.domain.journal import fact_ref
    from shared.domain.rotation import commitment
    from shared.domain.rotation import verify_draw as verify
    from shared.services.transact import read

    locking = fact_ref(arguments.group, "group_locked")
    loaded = read(bootstrap.context(), group_ref(arguments.group), locking)
    group = loaded.get(group_ref(arguments.group))
    if group.draw.seed is None:
        print("The group is not locked: its seed is not shown yet.")
        return 1
    order = [str(uid) for uid in loaded.get(locking).payload["order"]]
    seed = bytes.fromhex(group.draw.seed)
    drawn = group.terms.order_method == "random"
    right = verify(group.draw.commitment, seed, order) if drawn else commitment(seed) == group.draw.commitment
    print(f"commitment {group.draw.commitment}\nseed       {group.draw.seed}\norder      {', '.join(order)}")
    print("The draw is as it was committed." if right else "The draw is NOT as it was committed.")
    return 0 if right else 1


def audit(arguments: argparse.Namespace) -> int:
    """Verify exits 1 where anything is not as it was sealed; export writes JSON lines to standard output."""
    from shared.services import anchor_heads, audit

    ctx = bootstrap.context()
    if arguments.what == "export":
        if arguments.group is None:
            print("Name the group to export.", file=sys.stderr)
            return 2
        sys.stdout.buffer.write(audit.export_group(ctx, arguments.group))
        return 0
    try:
        anchored = anchor_heads.anchors(ctx)
    except AnchorsUnavailable as trouble:
        print(
            f"The anchored heads could not be read ({trouble}): the chain alone is verified.", file=sys.stderr
        )
        anchored = []
    groups = [arguments.group] if arguments.group else audit.groups_with_facts(ctx)
    verdicts = [audit.verify_group(ctx, group, anchored) for group in groups]
    bad = [verdict for verdict in verdicts if verdict.faults]
    if arguments.json:
        print(json.dumps({"audit": "broken" if bad else "verified", "groups": list(map(_verdict, verdicts))}))
    else:
        for verdict in verdicts:
            print(
                f"{verdict.group}: {verdict.sealed} sealed, {verdict.unsealed} not yet; head {verdict.head}"
            )
            for fault in verdict.faults:
                print(f"  {'balances' if fault.seq is None else f'seq {fault.seq}'}: {fault.what}")
        print(f"{len(verdicts)} groups, {len(bad)} of them broken, {len(anchored)} anchored heads")
    return 1 if bad else 0


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "group": verdict.group,
        "sealed": verdict.sealed,
        "unsealed": verdict.unsealed,
        "head": verdict.head,
        "first_bad_seq": verdict.first_bad_seq,
        "faults": [{"seq": fault.seq, "what": fault.what} for fault in verdict.faults],
    }


def debts(arguments: argparse.Namespace) -> int:
    """Every open debt of a group, oldest first. Exits 0 also where somebody owes."""
    from shared.domain.members import Member

    (found,) = bootstrap.store().read_consistently(Query(f"groups/{arguments.group}/members"))
    members = [Member.model_validate(dict(one.data or {})) for one in found]
    owing = [
        {"debtor": member.uid, "creditor": debt.creditor, "left_pence": debt.left_pence}
        for member in members
        for debt in member.open_debts()
    ]
    if arguments.json:
        print(json.dumps(owing))
    else:
        for one in owing:
            print(f"{one['debtor']} owes {one['creditor']} {one['left_pence']} pence")
        print(f"{len(owing)} open debts")
    return 0


def _command() -> Command:
    return Command(actor=f"operator:{getpass.getuser()}", id=f"ajo:{uuid4().hex}")


def refund(arguments: argparse.Namespace) -> int:
    """Exits 1 where it is refused."""
    from shared.services.refund_contribution import refund as give_back

    return _told(
        lambda: give_back(
            bootstrap.context(),
            _command(),
            arguments.group,
            arguments.contribution,
            arguments.reason,
            arguments.approval,
        )
    )


def reverse(arguments: argparse.Namespace) -> int:
    """Exits 1 where it is refused."""
    from shared.services.reverse_payout import reverse as bring_back

    return _told(
        lambda: bring_back(
            bootstrap.context(),
            _command(),
            arguments.group,
            arguments.payout,
            arguments.pence,
            arguments.reason,
            arguments.approval,
        )
    )


def catch_up(arguments: argparse.Namespace) -> int:
    from shared.services.catch_up import catch_up as list_anew

    return _told(lambda: list_anew(bootstrap.context(), _command()))


def _told(act: Callable[[], Mapping[str, Any]]) -> int:
    """Do it, and say what came of it. Exits 1 where the rules or the processor refuse."""
    try:
        print(json.dumps(act(), default=str))
    except Refusal as refusal:
        print(refusal)
        return 1
    return 0


def replay(arguments: argparse.Namespace) -> int:
    """Exits 1 where something is parked still."""
    from shared.services.replay import replay as take_up

    query = Query("quarantine", where=[("state", "==", "parked")])
    (found,) = bootstrap.store().read_consistently(query)
    left = 0
    for path in arguments.path or [one.path for one in found]:
        try:
            answer = take_up(bootstrap.context(), _command(), path)
        except Refusal as refusal:
            answer = {"state": "parked", "reason": str(refusal)}
        print(f"{path}  {answer['state']}  {answer.get('reason', '')}".rstrip())
        left += answer["state"] == "parked"
    print(f"{left} parked still")
    return 1 if left else 0


def outcomes(arguments: argparse.Namespace) -> int:
    """JSON lines to standard output, oldest score first."""
    from shared.services.export_outcomes import outcomes as lines

    for line in lines(bootstrap.context(), arguments.model, arguments.months):
        print(json.dumps(line))
    return 0


def withdrawn_models(arguments: argparse.Namespace) -> int:
    """Exits 1 where it is refused, 2 where something was left out."""
    from shared.domain.scoring.artefact import check_shipped
    from shared.services import withdrawn_models as models

    ctx = bootstrap.context()
    if arguments.what == "list":
        print(json.dumps({"shipped": check_shipped(), "withdrawn": sorted(models.withdrawn(ctx))}))
        return 0
    if arguments.version is None or (arguments.what == "withdraw" and not arguments.reason):
        print("Name the version, and to withdraw it the reason.", file=sys.stderr)
        return 2
    if arguments.what == "restore":
        return _told(lambda: models.restore(ctx, _command(), arguments.version))
    return _told(lambda: models.withdraw(ctx, _command(), arguments.version, arguments.reason))


def rotate_keys(arguments: argparse.Namespace) -> int:
    """Exits 1 where another run is needed: of `renew`, an hour later."""
    from shared.services import rotate_keys as rotation

    if arguments.what == "renew":
        print(json.dumps(done := rotation.renew(bootstrap.context(), arguments.owner)))
        return 0 if done["retired"] else 1
    print(json.dumps(found := rotation.rewrap_all(bootstrap.context())))
    return 1 if found["rewrapped"] else 0


def quarantine(arguments: argparse.Namespace) -> int:
    """Exits 0 also where something is parked: looking is no failure."""
    query = Query("quarantine", where=[("state", "==", "parked")])
    (found,) = bootstrap.store().read_consistently(query)
    parked: list[dict[str, Any]] = [{"path": one.path, **(one.data or {})} for one in found]
    if arguments.json:
        print(json.dumps(parked, default=str))
    else:
        for one in parked:
            print(f"{one['path']}  {one['kind']}  {one['code']}: {one['reason']}")
        print(f"{len(parked)} parked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
