"""The events of members: areas, organisations, people, accounts and volunteer teams."""
