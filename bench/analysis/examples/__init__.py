"""What a captioner wrote beside what people wrote, what was found for queries: a page of examples for each run."""
