"""ConSE: a frame is the mix of the sentence vectors of its likeliest classes; nothing is trained."""
