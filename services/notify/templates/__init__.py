"""Templates: what is said, in Chinese and in English."""
