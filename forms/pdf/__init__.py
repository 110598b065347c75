"""The fillable PDF face of a form: published once per edition, then read and stamped from what was issued."""
