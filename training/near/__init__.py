"""Do two questions want the same answer? Pairs written by hand, and the regression that tells them apart."""
