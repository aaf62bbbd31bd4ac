"""Caption metrics: BLEU, METEOR, ROUGE-L and CIDEr on shared tokens, and the protocols that say what is compared."""
