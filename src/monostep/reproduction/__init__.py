"""A study from an empty folder to its report: what is trained, what is measured, what follows."""
