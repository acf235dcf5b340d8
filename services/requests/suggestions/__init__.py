"""Which service item fits what somebody says in their own words."""
