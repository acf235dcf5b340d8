"""Trouble: an error that an operator can act on, in one sentence."""


class Trouble(Exception):
    """One sentence with what is wrong and what to do; `lines` are the last lines of a log, if any."""

    def __init__(self, sentence: str, *, lines: tuple[str, ...] = (), code: int = 2) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.lines = lines
        self.code = code
