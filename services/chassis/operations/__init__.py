"""What operators do with a running service: check the ledger, examine, backfill, republish, rebuild."""
