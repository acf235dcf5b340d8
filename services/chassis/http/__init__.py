"""How a use case becomes a route: sign-in, problems, pages, live streams."""
