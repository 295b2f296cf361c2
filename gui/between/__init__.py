"""Between two pictures: blends of their latents beside blends of their pixels, and draws from the prior."""
