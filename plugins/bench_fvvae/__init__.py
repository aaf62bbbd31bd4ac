"""FV-VAE: how a video would change an autoencoder of frames."""
