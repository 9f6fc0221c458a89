"""Process steps: what is done to an electrode in the lab, from the words of a case file to the steps of a run."""
