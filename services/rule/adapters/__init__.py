"""What the rule service reads from outside its store."""
