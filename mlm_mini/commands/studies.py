"""`experiment`, `claims` and `bench`: what is measured."""

import argparse
import sys

from mlm_mini.commands.terminal import CommandError, add_json_option, counting_bar, target_file, write_json
from mlm_mini.quoting import printable


def add_study_commands(commands: argparse._SubParsersAction) -> None:
    experiment = commands.add_parser("experiment", help="run one experiment and print what it found")
    experiment.add_argument("name", help="mask_ratio, for example; an unknown name lists them all")
    experiment.add_argument("--full", action="store_true", help="the full study, with the result that the course ships")
    experiment.add_argument("--workers", type=int, metavar="N", help="processes; as many as cores unless given")
    experiment.add_argument(
        "--out", type=target_file, metavar="FILE", help="where --full writes; in its place in the course unless given"
    )
    add_json_option(experiment)
    experiment.set_defaults(run=run_experiment)

    claims = commands.add_parser("claims", help="measure every claim of the article and print the verdicts")
    claims.add_argument("ids", nargs="*", metavar="CLAIM", help="only these, variance for example; all unless given")
    claims.add_argument("--quick", action="store_true", help="smaller samples: at most five minutes on two cores")
    claims.add_argument("--workers", type=int, metavar="N", help="processes; as many as cores unless given")
    add_json_option(claims)
    claims.set_defaults(run=run_claims)

    bench = commands.add_parser("bench", help="speed, side by side with its peers, in one run")
    bench.add_argument(
        "--only",
        metavar="NAME",
        help="one group of rows: step, memory, masking, text, gradients, posterior, widgets, checks, growth; and, only "
        "when they are named, quality (about an hour) and floor (the race)",
    )
    bench.add_argument("--device", help="of the whole steps: cpu or cuda; the best there is unless given")
    bench.add_argument("--threads", type=int, metavar="N", help="the most that a side may use; as many as cores")
    add_json_option(bench)
    bench.set_defaults(run=run_bench)


def run_experiment(options: argparse.Namespace) -> int:
    """Runs a quick or a full experiment with a progress bar; a full one can be stopped and gone on with."""
    from mlm_mini.experiments import find_experiment, for_shipping
    from mlm_mini.shipped import results_folder

    if options.out and not options.full:
        raise CommandError("--out is for --full: a quick result goes to --json FILE")
    try:
        experiment = find_experiment(options.name)
        with counting_bar(options.name) as finished:
            result = experiment.run(options.full, options.workers, finished)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        raise
    command = f"python3 course.py experiment {options.name}{' --full' if options.full else ''}"
    content = for_shipping(experiment, result, command)
    if options.full:
        target = options.out or str(results_folder("experiments") / f"{options.name}.json")
        write_json(content, target, compact=True)
        print(f"Written to {printable(target)}.", file=sys.stderr)
    if options.json:
        write_json(content, options.json)
    else:
        print(result.table())
    return 0


def run_claims(options: argparse.Namespace) -> int:
    """Measures the claims, one after the other, and prints each verdict as soon as it is known."""
    from rich.console import Console

    from mlm_mini.experiments.claims.all_claims import find_claims, measure_claims
    from mlm_mini.experiments.claims.claim import Effort

    status = Console(stderr=True, highlight=False)
    rows = []
    try:
        wanted = find_claims(options.ids or None)
        effort = Effort(quick=options.quick, workers=options.workers)
        with status.status("") as spinner:
            for row in measure_claims(effort, [claim.id for claim in wanted], lambda c: spinner.update(c.id)):
                rows.append(row)
                status.print(f"{len(rows)} of {len(wanted)}  {row.claim.id}: {row.verdict}", soft_wrap=True)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    if options.json:
        write_json({"claims": [row.to_dict() for row in rows]}, options.json)
    else:
        print_claims(rows)
    return 0


def print_claims(rows: list) -> None:
    """Four lines a claim: the verdict, the claim, what was measured, and the rule."""
    from rich.console import Console

    console = Console(highlight=False)
    for row in rows:
        claim, finding = row.claim, row.finding
        console.print(f"\n[bold]{claim.chapter}  {claim.id}: {row.verdict}[/bold]", markup=True, soft_wrap=True)
        for line in (claim.says, f"{finding.figure} {claim.unit} ({finding.source}): {claim.figure}", claim.rule):
            console.print(f"    {line}", markup=False, soft_wrap=True)


def run_bench(options: argparse.Namespace) -> int:
    """Prints each row as it is measured, under the machine and the versions. Fails when one is below its limit."""
    from rich.console import Console

    from mlm_mini import bench
    from mlm_mini.shipped import provenance

    status = Console(stderr=True, highlight=False)
    made, rows = provenance("python3 course.py bench"), []
    status.print(made["machine"], soft_wrap=True)

    def left_out(group: str, error: ImportError) -> None:
        how = f"{sys.executable} -m pip install {error.name}"
        status.print(f"{group}: left out, since the peer's package {error.name} is missing: {how}", soft_wrap=True)

    try:
        for row in bench.measure(only=options.only, device=options.device, threads=options.threads, left_out=left_out):
            rows.append(row)
            status.print(row.text(), soft_wrap=True)
    except ValueError as error:
        raise CommandError(str(error)) from None
    if options.json:
        write_json({"machine": made, "rows": [row.to_dict() for row in rows]}, options.json)
    return 0 if rows and all(row.kept for row in rows) else 1
