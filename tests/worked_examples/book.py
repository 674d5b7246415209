"""The book of a worked example: every balance after every step, as an accountant would write it."""

from __future__ import annotations

from tests.builders import Circle


class Book:
    """A circle's accounts by short names: people as themselves, payouts by what they are."""

    def __init__(self, circle: Circle) -> None:
        self.circle = circle

    def stands(self, **pence: int) -> None:
        """Assert every balance that is not empty: `pot_1=500_00` is £500 in the pot of cycle 1.

        Accounts are spelled with underscores: `debt_Ada`, `owed_Ben`, `payable`, `cash`, `fees`, `house`.
        """
        found: dict[str, int] = {}
        for account, stand in self.circle.balances().items():
            name = self._name(account)
            found[name] = found.get(name, 0) + stand
        assert found == {name: amount for name, amount in pence.items() if amount}

    @staticmethod
    def _name(account: str) -> str:
        head, _, rest = account.partition(":")
        if head in {"cash", "payable"}:
            return head
        if account == "fees:processor":
            return "fees"
        return f"{head}_{rest}".rstrip("_")
