"""The project that the random templates are rendered in."""
