"""The API version that the local Stripe speaks, and that its clients must send.

It is the version that the pinned OpenAPI document describes (see `conformity`); stripe-python 16 would send
2026-10-28.endive by itself. Stripe serves old versions on: the same client works in Stripe's test mode.
"""

API_VERSION = "2022-11-15"
