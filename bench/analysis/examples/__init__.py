"""What a captioner wrote beside what people wrote: a page of examples for each run."""
