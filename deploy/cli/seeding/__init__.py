"""How a city's data gets into a running Linli: through its use cases, over HTTP."""
