"""The demo: whole circles of people who save and are paid, over HTTPS calls alone, told as a story."""
