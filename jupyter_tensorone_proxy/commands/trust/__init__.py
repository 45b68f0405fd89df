"""``jupyter tensorone trust``: have this machine trust the local CA, and show what it is.

It changes trust stores and reads the CA's certificate. It neither talks to a gateway nor needs one
that runs, and never touches a private key.
"""
