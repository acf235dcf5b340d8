"""Cases: who hears of the life of a request, and with which words."""
