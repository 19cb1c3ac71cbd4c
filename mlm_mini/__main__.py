"""The command line: `python3 course.py COMMAND` sets up the environment and hands over to this module."""

import argparse
import os
import sys
import warnings

from mlm_mini.commands.book import add_book_command
from mlm_mini.commands.grading import add_grade_command
from mlm_mini.commands.learn import add_learn_command
from mlm_mini.commands.models import add_model_commands
from mlm_mini.commands.notebooks import add_notebook_commands
from mlm_mini.commands.studies import add_study_commands
from mlm_mini.commands.terminal import CommandError, escape_what_cannot_be_written, told
from mlm_mini.commands.testing import add_test_command, run_tests
from mlm_mini.commands.tokens import add_tokenize_command
from mlm_mini.quoting import on_one_line


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. Returns its exit status: 0 when it did what was asked."""
    arguments = sys.argv[1:] if arguments is None else arguments
    escape_what_cannot_be_written()
    parser = command_parser(asked=arguments[0] if arguments else "")
    options, extra = parser.parse_known_args(arguments)
    if extra and options.run is not run_tests:
        parser.error(f"unrecognized arguments: {on_one_line(' '.join(extra))}")
    options.extra = extra
    try:
        return options.run(options)
    except CommandError as error:
        print(f"course.py {options.command}: {told(error)}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `course.py progress | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # of a full disk behind standard output, say
        print(f"course.py {options.command}: {told(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of a library in Rust; it is no Exception, and no module has it
            raise
        print(f"course.py {options.command}: a library stopped on what it was given: {told(error)}", file=sys.stderr)
        return 1


def command_parser(asked: str = "") -> argparse.ArgumentParser:
    """The parser of every command; the recipe's options, for which PyTorch is loaded, only where `train` is asked."""
    parser = argparse.ArgumentParser(prog="course.py", description="A course in masked language modeling.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_learn_command(commands)
    add_notebook_commands(commands)
    add_grade_command(commands)
    add_model_commands(commands, with_recipe=asked == "train")
    add_tokenize_command(commands)
    add_study_commands(commands)
    add_book_command(commands)
    add_test_command(commands)
    return parser


if __name__ == "__main__":
    warnings.formatwarning = lambda message, *_: (
        f"course.py: {told(message)}\n"
    )  # a sentence, without a line of our code
    sys.exit(main())
