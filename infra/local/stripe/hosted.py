"""What a customer sees at Stripe: links to hosted pages, which the server serves (see `pages`)."""

from __future__ import annotations

from infra.local.stripe.errors import Object
from infra.local.stripe.world import World


def next_action(world: World, intent: Object, return_url: str | None) -> Object:
    """Where the customer authenticates. Without a return address Stripe leaves it to its own script."""
    url = f"{world.hosted_url}/_hosted/authenticate/{intent['id']}"
    if return_url is None:
        return {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
        }
    world.secret(intent["id"])["return_url"] = return_url
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
