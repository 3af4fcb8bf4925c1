"""Checks of the ledger's claims: each computes its figure anew and can disagree."""
