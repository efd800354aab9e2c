"""Webhooks, told to a receiver that listens on this machine as if it were anywhere."""
