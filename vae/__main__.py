"""python -m vae: see ``vae.cli``."""

import sys

from vae.cores import prepare_threads

if __name__ == "__main__":
    # Before anything imports torch, which reads the environment once.
    prepare_threads()
    from vae.cli import main

    sys.exit(main())
