"""The process that trains: ``python -m vae.worker``."""
