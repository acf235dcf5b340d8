"""People: who lives and serves here, with their phone, address and place; stands on areas."""
