"""Invented providers, people and messages that show every verdict and band. None of them exist.

Made from the forms themselves by the same stamper that prefills a form, so the demo can never drift from the editions.
"""
