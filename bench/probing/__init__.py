"""Linear classifiers on frozen embeddings: one problem, two solvers of the same optimum, and the choice of C."""
