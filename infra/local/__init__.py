"""What stands in for the cloud on one machine: emulators, small local servers and the gateway.

Nothing here is deployed, and nothing in shared/ or functions/ imports it. `Platform` starts the whole.
"""
