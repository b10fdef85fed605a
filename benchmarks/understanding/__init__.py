"""How well unknown protocols are understood: sessions of which the truth is known, and scores."""
