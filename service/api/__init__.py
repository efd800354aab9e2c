"""HTTP: parse a request, make one call, answer."""
