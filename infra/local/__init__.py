"""What stands in for the cloud on one machine. Nothing here is deployed, and nothing deployed knows of it.

- `run` is scripts/run; `platform` starts everything and is what tests and the demo use;
- `emulators` are Google's own, found or fetched by `toolchain`, kept and ended by `process` and `keeper`;
- `host` is the process of the functions: `gateway` before them, and beside them `cloud_tasks`,
  `secret_manager`, `pubsub_proxy` (on `rpc`), `oidc` tokens, and the `scheduler` on the test `clock`;
- `control` answers under /_local/: it moves the clock, and knows by `work` when all has come to rest;
- `stripe` is a local Stripe, for when no key of its test mode is given.
"""
