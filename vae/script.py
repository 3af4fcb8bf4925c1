"""A run as one Python file that needs torch alone: the template with the settings in place.

The template, ``assets/standalone.py``, follows the engine's arithmetic and its streams of random
numbers exactly; a test runs it and compares the losses.
"""

from pathlib import Path
from pprint import pformat

from vae.config import TrainConfig
from vae.idx import FOLDERS

_TEMPLATE = Path(__file__).parent / "assets" / "standalone.py"
# Where the run happened, or where its images lay, is no part of what it computes.
_LEFT_OUT = frozenset({"device", "images"})


def build_script(config: TrainConfig) -> str:
    """The source of a script that repeats ``config`` on a CPU and prints its losses."""
    settings = {name: value for name, value in config.to_dict().items() if name not in _LEFT_OUT}
    text = _TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("SETTINGS = {}", f"SETTINGS = {pformat(settings, sort_dicts=False)}", 1)
    text = text.replace('IMAGES = ""', f'IMAGES = "{images_name(config)}"', 1)
    return text.replace("NAME", file_name(config), 1)


def file_name(config: TrainConfig) -> str:
    """A name that says what the script trains."""
    return f"vae_{config.dataset}_{config.likelihood.replace('-', '_')}_seed{config.seed}.py"


def images_name(config: TrainConfig) -> str:
    """The file, or the folder of MNIST's kind, that the script reads beside it."""
    if config.dataset in FOLDERS:
        return FOLDERS[config.dataset]
    if config.dataset == "digits":
        return f"digits-grey-{config.grey:g}.npz"
    return "images.npz"
