"""From a folder of videos to a pack of features: frames are decoded, encoded and packed, and what made them is said."""

from bench.extraction.extracting import Extraction, ExtractionChoices, extract, is_missing

__all__ = ["Extraction", "ExtractionChoices", "extract", "is_missing"]
