"""What members tells: areas, organisations, people, accounts and volunteer teams."""
