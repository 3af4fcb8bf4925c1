"""Several servers behind a proxy on one machine: ``python -m vae serve``.

``proxy`` writes the proxy's configuration, ``supervisor`` knows what happens to servers over time;
both only think. ``shell`` starts processes and does as they say.
"""
