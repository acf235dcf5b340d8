"""The audit log of members: who saw whose data, read by auditors."""
