"""The manager terminal: what AI calls cost, what routing saved and why each call went where it went, without code.

Pages are served below `/terminal` on the gateway's own port. They read the queries in `state` and never its tables.
"""
