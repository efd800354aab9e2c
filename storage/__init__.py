"""Keep tasks, concepts and images. What they mean is for the service."""
