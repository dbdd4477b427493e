"""The tokenizer of the house models: whole words of the grammar, in the form that transformers and open_clip load."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from proofsheet.errors import InputError

#: Tokens of one text, begin and end included.
CONTEXT = 48

PAD, START, UNKNOWN, END = "<pad>", "<start>", "<unk>", "<end>"


def build_tokenizer(words: Sequence[str]) -> Tokenizer:
    """A word-level tokenizer: lower case, accents and all punctuation dropped, unknown words marked.

    ``<end>`` has the highest number, so that pooling at the highest number and pooling at the end are the same thing.

    Args:
        words: the vocabulary; order and doubles do not matter.
    """
    known = sorted({word.lower() for word in words if word.strip()})
    ids = {token: index for index, token in enumerate((PAD, START, UNKNOWN, *known, END))}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex("['’]s\\b"), ""),
            normalizers.Replace(Regex("[^\\p{L}\\p{N}]+"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        pair=f"{START} $A $B {END}",
        special_tokens=[(START, ids[START]), (END, ids[END])],
    )
    tokenizer.add_special_tokens([PAD, START, UNKNOWN, END])
    return tokenizer


def save_tokenizer(words: Sequence[str], folder: Path) -> Path:
    """Write tokenizer.json, tokenizer_config.json and special_tokens_map.json into ``folder``; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    build_tokenizer(words).save(str(folder / "tokenizer.json"))
    special = {"bos_token": START, "eos_token": END, "pad_token": PAD, "unk_token": UNKNOWN}
    settings = {
        **special,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
        "padding_side": "right",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "truncation_side": "right",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", "utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n", "utf-8")
    return folder


class Words:
    """Turns captions into numbered tokens fast, by the saved tokenizer.

    Args:
        file: a ``tokenizer.json``.
    """

    def __init__(self, file: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.enable_truncation(CONTEXT)

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return int(self._tokenizer.get_vocab_size())

    @property
    def end(self) -> int:
        """The number of ``<end>``."""
        return self._number(END)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The token numbers of each text, begin and end included, as long as the longest of them (padded)."""
        found = [list(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]
        longest = max(map(len, found))
        pad = self._number(PAD)
        return [row + [pad] * (longest - len(row)) for row in found]

    def unknown(self, text: str) -> tuple[str, ...]:
        """The words of a text that are not in the vocabulary, as written (lower case), each once."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        mark = self._number(UNKNOWN)
        spans = (span for span, number in zip(encoding.offsets, encoding.ids, strict=True) if number == mark)
        return tuple(dict.fromkeys(text[start:stop].lower() for start, stop in spans))

    def _number(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise InputError(f"The tokenizer has no {token}.", "Build it anew with training.tokenizer.")
        return int(number)
