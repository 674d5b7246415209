"""Stripe as a `PaymentGateway`.

`gateway` has the calls, `api` their one door, `readings` Stripe's objects in our words, `failures` why a
collection failed, `news` webhooks and events.
"""

from shared.adapters.stripe_gateway.gateway import StripeGateway

__all__ = ["StripeGateway"]
