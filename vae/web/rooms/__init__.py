"""Rooms on the pages: the shell around ``vae.rooms``, and the panel of teacher and class."""
