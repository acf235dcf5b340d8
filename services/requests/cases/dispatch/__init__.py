"""Who handles a case: by place, item and tier, or chosen by hand; and the slots of volunteer teams."""
