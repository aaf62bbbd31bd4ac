"""Questions asked of finished runs: comparisons, diagnoses, confusions, examples."""
