"""HSE: clips and sentences below, videos and paragraphs above, matched on both levels."""
