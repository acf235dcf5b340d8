"""Everything that runs Linli: the local stack, the gateway, the command line, the data of cities."""
