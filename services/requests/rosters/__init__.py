"""Who is on call: copies of the duty rosters of members."""
