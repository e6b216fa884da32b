"""Find what is wrong with a data set before anything is trained on it: the check of every run and ``check_dataset``."""
