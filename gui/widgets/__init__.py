"""Small widgets that stand alone."""
