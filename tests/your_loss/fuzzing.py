"""Hostile texts: grown from a grammar, mutated from real losses, and written by hand.

``PYTHONPATH=. python tests/your_loss/fuzzing.py [SEED] [COUNT]`` reads 10,000 of them and prints
how long the readings took, in seconds of the processor, and the memory that they needed.
"""

import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

NAMES = [
    "x",
    "y",
    "recon_x",
    "mu",
    "logvar",
    "z",
    "torch",
    "F",
    "tf",
    "K",
    "np",
    "jnp",
    "self",
    "loss",
    "data",
    "model",
    "kl",
    "beta",
    "__import__",
    "open",
    "exec",
    "eval",
    "os",
    "sys",
    "getattr",
    "range",
    "sum",
    "len",
    "print",
    "type",
    "object",
    "lambda_",
    "builtins",
    "globals",
    "q",
    "p",
]
ATTRIBUTES = [
    "sum",
    "mean",
    "exp",
    "pow",
    "view",
    "shape",
    "size",
    "__class__",
    "__subclasses__",
    "__globals__",
    "__dict__",
    "mro",
    "log",
    "backward",
    "item",
    "reshape",
    "expand",
    "repeat",
    "data",
    "T",
    "append",
    "kl",
    "format",
    "system",
    "distributions",
    "Normal",
    "mse_loss",
    "random",
    "normal",
    "losses",
    "reduce_sum",
    "einsum",
    "tile",
    "zeros",
    "ones",
    "arange",
    "broadcast_to",
    "matmul",
    "cumsum",
]
NUMBERS = [
    "0",
    "1",
    "-1",
    "2",
    "784",
    "1e308",
    "1e-320",
    "10**9",
    "99999999999",
    "0.5",
    "3.14",
    "None",
    "True",
    "'a'",
    "2**64",
    "float('inf')",
    "1j",
    "b'x'",
    "...",
    "1_000_000",
]
BINARY = [
    "+",
    "-",
    "*",
    "/",
    "**",
    "//",
    "%",
    "@",
    "<<",
    "|",
    "&",
    "==",
    "<",
    "and",
    "or",
    "is",
    "in",
]


def expression(random_: random.Random, depth: int) -> str:
    """A random expression of Python."""
    if depth <= 0 or random_.random() < 0.15:
        return random_.choice([random_.choice(NAMES), random_.choice(NUMBERS)])

    def inner() -> str:
        return expression(random_, depth - 1)

    forms = [
        lambda: f"({inner()} {random_.choice(BINARY)} {inner()})",
        lambda: f"{inner()}.{random_.choice(ATTRIBUTES)}",
        lambda: f"{inner()}.{random_.choice(ATTRIBUTES)}({inner()})",
        lambda: f"{inner()}({inner()}, {inner()})",
        lambda: f"{random_.choice(NAMES)}.{random_.choice(ATTRIBUTES)}({inner()}, dim={inner()})",
        lambda: f"{inner()}[{inner()}]",
        lambda: f"{inner()}[{inner()}:{inner()}, None, ...]",
        lambda: f"[{inner()} for {random_.choice(NAMES)} in {inner()}]",
        lambda: f"{{{inner()}: {inner()}}}",
        lambda: f"(lambda {random_.choice(NAMES)}: {inner()})",
        lambda: f"({inner()} if {inner()} else {inner()})",
        lambda: f"-{inner()}",
        lambda: f"not {inner()}",
        lambda: f"f'{{{random_.choice(NAMES)}:{random_.choice(['>10', '1000000000', '!r'])}}}'",
        lambda: f"({inner()}, *{inner()})",
        lambda: f"(yield {inner()})",
    ]
    return random_.choice(forms)()


def statements(random_: random.Random, depth: int, indent: str = "") -> str:
    """Random statements."""
    rows = []
    for _ in range(random_.randint(1, 4)):
        name, value = random_.choice(NAMES), expression(random_, 3)
        form = random_.randint(0, 11)
        if form < 5 or depth <= 0:
            rows.append(f"{indent}{name} = {value}")
        elif form == 5:
            rows.append(f"{indent}return {value}")
        elif form == 6:
            rows += [
                f"{indent}for {name} in {value}:",
                statements(random_, depth - 1, indent + " "),
            ]
        elif form == 7:
            rows += [f"{indent}while {value}:", statements(random_, depth - 1, indent + " ")]
        elif form == 8:
            rows += [
                f"{indent}def {name}(x, y, mu, logvar, *a, **k):",
                statements(random_, depth - 1, indent + " "),
            ]
        elif form == 9:
            rows += [
                f"{indent}class {name}({value}):",
                statements(random_, depth - 1, indent + " "),
            ]
        elif form == 10:
            rows += [
                f"{indent}with {value} as {name}:",
                statements(random_, depth - 1, indent + " "),
            ]
        else:
            rows += [
                f"{indent}try:",
                statements(random_, depth - 1, indent + " "),
                f"{indent}finally:",
                f"{indent} pass",
            ]
    return "\n".join(rows)


def seeds() -> list[str]:
    """Real losses to mutate."""
    folder = Path(__file__).parent
    lines = (folder / "losses.jsonl").read_text(encoding="utf-8").splitlines()
    codes = [json.loads(line)["code"] for line in lines]
    for path in sorted((folder / "forms").glob("*.txt")):
        codes.append(path.read_text(encoding="utf-8").partition("\n")[2])
    return codes


PIECES = [
    "**9**9**9",
    "(" * 50,
    "[" * 300,
    "\x00",
    "\ud800",
    "é",
    "𝔵",
    "\u202e",
    "1" * 5000,
    "while True: pass\n",
    ".repeat(10**9)",
    "torch.zeros(10**6, 10**6)",
    "import os\n",
    "__import__('os').system('true')",
    "open('/etc/passwd').read()",
    "exec('1')",
    "eval('1')",
    "'%1000000000d' % 1",
    "[0] * 10**12",
    "'a' * 10**12",
    ".__class__.__mro__[1].__subclasses__()",
    "def f(): return f()\nf()\n",
    "lambda: " * 60,
    "-" * 500,
    "not " * 500,
    "x" * 10_000,
    "\t\t\t",
    "\r",
    "# coding: rot13\n",
    "\\\n",
    '"""',
    "{" * 99,
    "for i in range(10**12): x = i\n",
    "sum(range(10**9))",
    ".view(10**8, -1)",
    ".expand(10**5, 10**5, 10**5)",
    "np.arange(1e15)",
    "torch.eye(10**7)",
    "einsum('" + "a" * 60 + "', x)",
    "1e400",
    "if 1:\n" * 120,
    "x = x.repeat(2, 2)\n" * 60,
    "x = torch.cat([x, x])\n" * 50,
    "f'{x!r:{y}{z}}'",
    "match x:\n case 1: pass\n",
    "mu = mu @ mu.T @ mu\n",
    "async def g(): await g()\n",
    "@jax.vmap\n",
    "globals()['x']",
    "del x\n",
]


def mutated(random_: random.Random, codes: list[str]) -> str:
    """A real loss with parts cut, doubled, exchanged, or spoilt."""
    text = random_.choice(codes)
    for _ in range(random_.randint(1, 6)):
        place, end = sorted(random_.randrange(len(text) + 1) for _ in range(2))
        kind = random_.randint(0, 7)
        if kind == 0:
            text = text[:place] + text[end:]
        elif kind == 1:
            text = text[:end] + text[place:]
        elif kind == 2:
            text = text[:place] + random_.choice(PIECES) + text[place:]
        elif kind == 3:
            text = (
                text[:place]
                + chr(random_.choice([0, 9, 10, 40, 41, 42, 91, 123, 255, 8238, 0x1F600]))
                + text[place:]
            )
        elif kind == 4:
            text = text.replace(random_.choice(NAMES), random_.choice(NAMES))
        elif kind == 5:
            text = text.replace(random_.choice(ATTRIBUTES), random_.choice(ATTRIBUTES))
        elif kind == 6:
            text = text[:place] + expression(random_, 4) + text[place:]
        else:
            lines = text.split("\n")
            random_.shuffle(lines)
            text = "\n".join(lines)
        text = text[:200_000] or "x"
    return text


def hostile(seed: int, count: int) -> Iterator[str]:
    """``count`` texts, the same for the same seed."""
    random_ = random.Random(seed)
    codes = seeds()
    for number in range(count):
        kind = number % 4
        if kind == 0:
            yield statements(random_, 3)
        elif kind == 1:
            yield "def loss(x, y, mu, logvar):\n" + statements(random_, 3, "    ")
        else:
            yield mutated(random_, codes)


def main(seed: int = 1, count: int = 10_000) -> None:
    """Read ``count`` texts; an exception ends it."""
    from vae import your_loss

    seconds = []
    for text in hostile(seed, count):
        start = time.process_time()
        found = your_loss.read(text)
        seconds.append(time.process_time() - start)
        assert found.verdict
    seconds.sort()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    middle, late = seconds[count // 2], seconds[int(count * 0.95)]
    print(f"{count} texts: p50 {middle:.3f} s, p95 {late:.3f} s, longest {seconds[-1]:.2f} s")
    print(f"memory {memory:.0f} MB")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
