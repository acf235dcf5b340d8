"""Teams: volunteers who take cases in a place while they are on duty; stands on people and areas."""
