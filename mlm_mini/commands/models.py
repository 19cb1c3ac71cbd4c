"""`train` and `fill`: a model of one's own, and what a model puts in the place of a blank."""

import argparse
import sys
import warnings

from mlm_mini.commands.terminal import CommandError, add_json_option, write_json
from mlm_mini.quoting import on_one_line, printable


def add_model_commands(commands: argparse._SubParsersAction, with_recipe: bool) -> None:
    """with_recipe: the options of the recipe too, for which PyTorch is loaded."""
    train = commands.add_parser("train", help="train a model on a bundled language or your own text files")
    train.add_argument("--language", default="scenes", help="scenes, english, or a text file or folder; %(default)s")
    train.add_argument("--out", required=True, metavar="DIR", help="the folder for the model and its checkpoints")
    train.add_argument(
        "--from",
        dest="start",
        metavar="MODEL",
        help="start from the weights and the tokenizer of a folder that train made, or of any of Hugging Face's with a "
        "BERT; they have a size, a vocabulary and a tokenizer of their own",
    )
    train.add_argument("--size", help="tiny, mini, small or base; mini")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint in DIR")
    train.add_argument("--length", type=int, metavar="T", help="tokens in a row of real text; 64")
    train.add_argument("--vocabulary-size", type=int, metavar="V", help="of real text; 4096")
    train.add_argument("--tokenizer", help="of real text: wordpiece or characters; wordpiece")
    train.add_argument(
        "--ending", action="append", default=[], metavar=".py", help="files to read in a folder; may be repeated"
    )
    train.add_argument("--device", help="cpu, cuda or mps; the best there is unless given")
    train.add_argument(
        "--fsdp",
        action="store_true",
        help="of several workers, which torchrun starts, each keeps a share of the weights, and not all of them: for a "
        "model that does not fit otherwise",
    )
    train.set_defaults(run=run_train)
    if with_recipe:
        add_recipe_options(train.add_argument_group("recipe", "what is not given is chosen for language, size, device"))

    fill = commands.add_parser("fill", help="what a trained model puts in the place of each [MASK]")
    fill.add_argument("text", help='for example "The chef [MASK] the bread."')
    fill.add_argument("--model", metavar="DIR", help="a folder that train made, or any of Hugging Face's with a BERT")
    fill.add_argument("--top", type=int, default=5, metavar="N", help="candidates for each blank; %(default)s")
    fill.add_argument(
        "--all-tokens",
        action="store_true",
        help="with [PAD], [CLS] and the like among the candidates, as transformers has it; they are left out before "
        "the softmax unless this is given",
    )
    add_json_option(fill)
    fill.set_defaults(run=run_fill)


def add_recipe_options(group: argparse._ArgumentGroup) -> None:
    """An option for each field of the recipe, with the field's own text."""
    from mlm_mini.training import recipe_options

    for option in recipe_options():
        flag = f"--{option.name.replace('_', '-')}"
        group.add_argument(flag, type=option.kind, nargs=option.count, metavar=option.metavar, help=option.help)


def run_train(options: argparse.Namespace) -> int:
    from mlm_mini.training import (
        FASTEST,
        TerminalProgress,
        TrainingError,
        Workers,
        open_start,
        recipe,
        recipe_options,
        train_folder,
    )

    chosen = {option.name: getattr(options, option.name) for option in recipe_options()}
    # The models of the course are float32 on every machine; one of your own may be as fast as yours can.
    given = {"precision": FASTEST} | {name: value for name, value in chosen.items() if value is not None}
    settings = {name: getattr(options, name) for name in ("resume", "length", "vocabulary_size", "tokenizer", "device")}
    settings |= {"endings": options.ending, "report": TerminalProgress()}
    try:
        workers = Workers.of_torchrun(options.fsdp)
        if not workers.leads:
            warnings.simplefilter("ignore")  # the first one says it
        start = None if options.start is None else open_start(options.start)
        size = "mini" if options.size is None and start is None else options.size
        config = recipe(options.language, size=start.model.config if start else size, device=options.device, **given)
        result = train_folder(options.language, size, config, options.out, start=start, workers=workers, **settings)
    except (TrainingError, ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        print("Stopped. With --resume the same command goes on from the last checkpoint.", file=sys.stderr)
        raise
    if not workers.leads:
        return 0
    if result.comparison:
        print(result.comparison.table())
    out = printable(options.out)
    print(f'The model is in {out}. Try: course.py fill "... [MASK] ..." --model {out}')
    return 0


def run_fill(options: argparse.Namespace) -> int:
    from mlm_mini.training import fill, load_folder, quick_model, unknown_words

    try:
        if options.model is not None:
            model, tokenizer = load_folder(options.model)
        else:
            quick = quick_model()
            model, tokenizer = quick.model, quick.tokenizer
        blanks = fill(model, tokenizer, options.text, options.top, options.all_tokens)
        unknown = unknown_words(tokenizer, options.text)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    if unknown:
        words = on_one_line(", ".join(unknown), 400)
        print(f"course.py fill: the model does not know, and reads as [UNK]: {words}", file=sys.stderr)
    if options.json:
        rows = [[candidate._asdict() for candidate in blank] for blank in blanks]
        write_json({"blanks": rows, "unknown": unknown}, options.json)
    else:
        print_blanks(blanks)
    return 0


def print_blanks(blanks: list) -> None:
    from rich.console import Console
    from rich.table import Table

    for number, blank in enumerate(blanks, start=1):
        table = Table(title=f"[MASK] {number} of {len(blanks)}".replace("[", r"\["), title_justify="left")
        table.add_column("token")
        for name in ("probability", "surprisal (nats)"):
            table.add_column(name, justify="right")
        for token, probability, surprisal in blank:
            table.add_row(printable(token).replace("[", r"\["), f"{probability:.4f}", f"{surprisal:.3f}")
        Console().print(table)
