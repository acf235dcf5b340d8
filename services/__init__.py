"""The three services of Linli, the chassis they stand on, and the contracts between them."""
