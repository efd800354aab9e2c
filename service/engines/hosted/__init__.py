"""Engines that are somebody's HTTP API: one small adapter a provider over one shared way there."""
