"""The benchmark: our use cases beside the bare client calls that they stand on, in turn, on one emulator."""
