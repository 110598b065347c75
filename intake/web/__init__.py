"""The pages: one Flask application for providers (no account) and for staff (sign-in by one-time link)."""
