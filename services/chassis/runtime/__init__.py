"""How a process of a service is put together, started and stopped: settings, web, worker."""
