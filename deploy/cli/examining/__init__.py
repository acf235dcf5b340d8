"""What `linli doctor` looks at besides what the services tell of themselves: this machine, the city's data."""
