"""A local Stripe: what stands in for Stripe where no `sk_test_` key is given.

Stateful, deterministic where its clock and seed are, and held to Stripe's published OpenAPI document: what
it accepts and answers is valid by it (`conformity`), and what Stripe would refuse is refused. What Stripe
does and this does not (other currencies, manual capture, checkout payments …) is refused aloud, never half
done.

Over HTTP:

    python -m infra.local.stripe --port 12111 --clock-file FILE \\
        --platform-webhook http://127.0.0.1:8080/stripe_webhook --platform-secret whsec_a \\
        --connect-webhook http://127.0.0.1:8080/stripe_webhook/connect --connect-secret whsec_b

    client = stripe.StripeClient(
        "sk_test_local", stripe_version=API_VERSION, base_addresses={"api": "http://127.0.0.1:12111"}
    )

Further options: `--platform-events`, `--connect-events` (globs of event types; all unless given),
`--state-file` (keeps the state over restarts), `--seed` (ids that repeat; without it they never do),
`--platform-payouts` (manual unless given). Any `sk_test_…` key is let in.

In a test:

    with start_local_stripe(platform_webhook=Endpoint(url, "whsec_a")) as server:
        server.url, server.core

In process, on a memory clock (the simulation):

    core = LocalStripe(now=clock.now, seed=7)
    status, body = core.request("POST", "/v1/customers", {"email": "a@b.example"}, idempotency_key="k")
    in_process.client(core).v1.customers.create({"email": "a@b.example"})            # the real StripeClient
    core.pump(lambda delivery, payload: my_webhook(delivery["endpoint"], payload))   # after each step
    control.handle(core, "POST", "charges/ch_…/dispute", {})

Faults, time, and what people and banks do: `control`. Test payment methods, under Stripe's names:
`test_methods`. Prices and settlement times, each with its source: `fees`. As at Stripe, the cards that are
declined cannot be attached to a customer, save `pm_card_chargeCustomerFail`; to have an attached card fail
once, order it: POST `/_control/payment_methods/pm_…/outcomes` `{"failures": ["insufficient_funds"]}`.
"""
