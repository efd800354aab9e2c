"""What speaks to the service from Python and from the shell."""
