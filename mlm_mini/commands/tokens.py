"""`tokenize`: a text becomes files of tokens once, which any number of processes then train on."""

import argparse

from mlm_mini.commands.terminal import CommandError
from mlm_mini.quoting import printable


def add_tokenize_command(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "tokenize", help="turn text files into files of tokens, for train --language, where a text is very large"
    )
    parser.add_argument("--language", required=True, metavar="PATH", help="a text file or folder, or english")
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder for the tokens, new or empty")
    parser.add_argument("--vocabulary-size", type=int, default=4096, metavar="V", help="%(default)s")
    parser.add_argument("--tokenizer", default="wordpiece", help="wordpiece or characters; %(default)s")
    parser.add_argument(
        "--ending", action="append", default=[], metavar=".py", help="files to read in a folder; may be repeated"
    )
    parser.add_argument(
        "--shard-characters", type=int, metavar="N", help="about how many characters of text go into a file; 2^28"
    )
    parser.set_defaults(run=run_tokenize)


def run_tokenize(options: argparse.Namespace) -> int:
    from mlm_mini.paths import expand_home
    from mlm_mini.training import find_language, write_token_folder
    from mlm_mini.training.text_entries import TextEntry

    given = {} if options.shard_characters is None else {"characters": options.shard_characters}
    try:
        entry = find_language(options.language, options.tokenizer, options.ending)
        if not isinstance(entry, TextEntry):
            raise ValueError(f"{options.language} is no text that could be tokenized: give --language a file or folder")
        shards = write_token_folder(entry, expand_home(options.out), options.vocabulary_size, **given)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    tokens, out = sum(shard["tokens"] for shard in shards), printable(options.out)
    print(f"{tokens:,} tokens in {len(shards)} files are in {out}. Try: course.py train --language {out} --out MODEL")
    return 0
