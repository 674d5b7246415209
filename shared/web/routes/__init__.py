"""The routes of the API as data, one module per function that serves them."""
