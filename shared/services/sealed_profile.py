"""A profile's details into its sealed text, and back."""

from __future__ import annotations

from shared.domain.profiles import SEALED_AS_PROFILE, Details, Profile
from shared.services.context import Context


def sealed(ctx: Context, uid: str, details: Details) -> str:
    """Raises Erased."""
    return ctx.vault.sealer(uid).seal(details.model_dump_json(), SEALED_AS_PROFILE)


def opened(ctx: Context, profile: Profile) -> Details:
    """Raises Erased, Unreadable."""
    return Details.model_validate_json(ctx.vault.sealer(profile.uid).open(profile.sealed, SEALED_AS_PROFILE))
