"""The gateway: Envoy's configuration, made from a template and the tables of routes and problems."""
