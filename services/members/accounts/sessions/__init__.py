"""Sessions: signing in by phone or as staff, refreshing, signing out; above codes and accounts."""
