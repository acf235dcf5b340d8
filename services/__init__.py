"""The three services of Linli, the chassis below them, and the contracts between them."""
