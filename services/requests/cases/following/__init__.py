"""What others see of a case: that something like theirs was asked for already, so that they follow it instead."""
