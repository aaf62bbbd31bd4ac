"""Scoring what others computed: similarity matrices and ranked lists become measurements, evidence and records."""
