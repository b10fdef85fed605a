"""Why is there no data: experiments and their evidence, verdicts, and the comparison of two sessions."""
