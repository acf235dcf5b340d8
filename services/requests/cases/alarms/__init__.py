"""Who is on call is called about a case of danger, one after the other; neighbours' cases are one incident."""
