"""What decides a result: its hash decides reruns."""
