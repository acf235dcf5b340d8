"""Cases: copies of the numbers of requests, by which somebody shows that a phone is still theirs."""
