"""Sessions: signing in by phone or as staff, staying signed in, signing out; stands on codes and accounts."""
