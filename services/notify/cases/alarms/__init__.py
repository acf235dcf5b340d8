"""Who hears of the calls about a case of danger."""
