"""What an outcome is judged against: a module for each, with `judged(task, sample, planned, got) -> Judgement`."""
