"""COOT, Cooperative Hierarchical Transformer (Ging et al., NeurIPS 2020), as a bench plugin from outside."""
