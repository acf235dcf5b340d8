"""Networks: how much is asked for from one network and in all, and the work that lets more through."""
