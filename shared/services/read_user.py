"""Read one's own account."""

from __future__ import annotations

from typing import Any

from shared.domain.users import payment_methods_ref, user_ref
from shared.services import views
from shared.services.context import Context
from shared.services.transact import read


def read_user(ctx: Context, uid: str) -> dict[str, Any]:
    """The person as they see themselves. Raises NoSuchThing before the sign-up."""
    loaded = read(ctx, user_ref(uid), payment_methods_ref(uid))
    return views.user(loaded.get(user_ref(uid)), loaded.find(payment_methods_ref(uid)))
