"""The city's working times: by which hours and days limits are counted."""
