"""Training and evaluation of the credit models: nothing that is served needs any of it."""
