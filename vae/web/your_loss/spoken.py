"""What a screen reader says of a loss that was pasted, corrected or compared."""

from vae.web.your_loss.words import written
from vae.your_loss import Reading, compare


def sentence(reading: Reading | None, second: Reading | None, problem: str) -> str:
    """The verdict, the comparison beside a second loss, or why there is none.

    ``problem``: why nothing could be read, where ``reading`` is None.
    """
    if reading is None:
        return problem
    if not reading.read:
        return f"Not read. {reading.message}"
    if second is None:
        return written(reading.verdict)
    if not second.read:
        return f"The second is not read. {second.message}"
    return written(compare(reading, second).text)
