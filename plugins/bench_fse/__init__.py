"""FSE: whole videos and whole paragraphs, each by one recurrent encoder."""
