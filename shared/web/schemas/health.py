"""What a function says of itself."""

from __future__ import annotations

from typing import Literal

from shared.web.schemas.common import Answer


class Health(Answer):
    """The function runs, or is ready to work."""

    status: Literal["ok", "ready"]
