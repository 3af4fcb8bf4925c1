"""A run as one Python file that needs torch alone: the template with the settings in place.

The template, ``standalone.py.txt``, follows the engine's arithmetic and its streams of
random numbers exactly; a test runs it and compares the losses.
"""

from pathlib import Path
from pprint import pformat

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.images.idx import FOLDERS

_TEMPLATE = Path(__file__).parent / "standalone.py.txt"
# Where the run happened, or where its images lay, is no part of what it computes.
_LEFT_OUT = frozenset({"device", "images"})


def build_script(config: TrainConfig) -> str:
    """The source of a script that repeats ``config`` on a CPU and prints its losses."""
    settings = {name: value for name, value in config.to_dict().items() if name not in _LEFT_OUT}
    text = _TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("SETTINGS = {}", f"SETTINGS = {pformat(settings, sort_dicts=False)}", 1)
    belief = BELIEFS[config.likelihood]
    text = text.replace("DEQUANTISED = False", f"DEQUANTISED = {belief.dequantised}", 1)
    text = text.replace("OUTPUTS = 1", f"OUTPUTS = {belief.outputs}", 1)
    text = text.replace("LOSS\n", f"{belief.script}{belief.helpers}".rstrip() + "\n", 1)
    text = text.replace('IMAGES = ""', f'IMAGES = "{images_name(config)}"', 1)
    return text.replace("NAME", file_name(config), 1)


def file_name(config: TrainConfig) -> str:
    """A name that says what the script trains."""
    return f"vae_{config.dataset}_{config.likelihood.replace('-', '_')}_seed{config.seed}.py"


def images_name(config: TrainConfig) -> str:
    """The file, or the folder of MNIST's kind, that the script reads beside it."""
    if not needs_images(config):
        return FOLDERS[config.dataset]
    drawn = "" if config.binarise == "none" else f"-{config.binarise}-seed{config.seed}"
    grey = f"-grey{config.grey:g}" if config.dataset == "digits" else ""
    return f"{config.dataset}{grey}{drawn}.npz"


def needs_images(config: TrainConfig) -> bool:
    """Whether the script reads a file from ``vae.export.files.images_npz``, not MNIST's own.

    Built-in digits exist nowhere else, and pixels drawn once are drawn by numpy.
    """
    return config.dataset not in FOLDERS or config.binarise != "none"
