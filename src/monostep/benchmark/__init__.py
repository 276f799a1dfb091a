"""Side-by-side measurement: speed, memory, start-up and accuracy of one model in many programs."""
