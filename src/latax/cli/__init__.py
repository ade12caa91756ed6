"""The command line: `latax fit | resume | encode | decode | project | sample | score | predict | traverse | ...`.

Exit status: 0 if all went well, 2 for what the user can mend (with one clear message), 1 for faults of latax itself,
128 + signal where it was stopped.
"""

import contextlib
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import latax
from latax._errors import ConfigError, DataWarning, LataxError

_PIPE = 128 + 13


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    import tyro

    args = list(sys.argv[1:] if argv is None else argv)
    if args == ["--version"]:
        print(f"latax {latax.__version__}")
        return 0
    # A chart of the user's own (module:name) lies beside his data, and a console script does not look there.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        command, rest = _commands(args)
        with _plain_warnings(), _types(args):
            tyro.extras.subcommand_cli_from_dict(command, args=rest, **_description(args))
        sys.stdout.flush()
    except LataxError as error:
        print(f"latax: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interruption:
        print(f"latax: {str(interruption) or 'Stopped.'}", file=sys.stderr)
        return 128 + getattr(interruption, "signal", 2)
    except BrokenPipeError:  # the reader, `head` say, has seen enough; Python must not try again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE
    except SystemExit as leaving:  # tyro has printed what is wrong with the arguments, or the help
        # Rich leaves with 1, and nothing else does, when the reader of its output has gone.
        return {0: 0, None: 0, 1: _PIPE}.get(leaving.code, 2)
    except Exception:
        traceback.print_exc()
        print("latax: this is a fault of latax, not of yours. Please report it with the lines above.", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Our own warnings as one sentence, without the line of code that gave them."""

    def show(message: Warning | str, category: type[Warning], filename: str, *rest: Any) -> None:
        if issubclass(category, DataWarning):
            print(f"latax: warning: {message}", file=sys.stderr)
        else:
            before(message, category, filename, *rest)

    with warnings.catch_warnings():
        before, warnings.showwarning = warnings.showwarning, show
        warnings.simplefilter("always", DataWarning)
        yield


def _commands(args: Sequence[str]) -> tuple[dict[str, Callable[..., Any]], list[str]]:
    """The commands that can be meant by `args`, and the arguments that are left for them.

    Only the modules of the command that is meant are imported, so that the light commands start at once.
    """
    first = args[0] if args else ""
    if first == "fit":
        from latax.cli.fit import fit_commands

        return _known(fit_commands(), "method", args), list(args[1:])
    if first == "data":
        from latax.cli.data import data_commands

        return _known(data_commands(), "command", args), list(args[1:])
    from latax.cli import physics, run, study

    nested = {"fit": _nested("Fits a model to a file."), "data": _nested("Lists and makes the built-in data sets.")}
    on_runs = {**run.COMMANDS, **physics.COMMANDS}
    return {"fit": nested["fit"], **on_runs, "data": nested["data"], "study": study.study}, list(args)


def _known(commands: dict[str, Callable[..., Any]], what: str, args: Sequence[str]) -> dict[str, Callable[..., Any]]:
    """The commands below `args[0]`. Raises `ConfigError` if `args[1]` is a name, and of none of them."""
    from latax._wording import did_you_mean

    name = args[1] if len(args) > 1 else "-"
    if name not in commands and not name.startswith("-"):
        near = did_you_mean(name, commands) or f" Give one of {', '.join(commands)}."
        raise ConfigError(f"`latax {args[0]}` has no {what} {name!r}.{near}")
    return commands


def _types(args: Sequence[str]) -> contextlib.AbstractContextManager[Any]:
    """What tyro has to know about the types of our options."""
    from latax.cli.numbers import numbers_in_words

    kinds = contextlib.ExitStack()
    kinds.enter_context(numbers_in_words())
    if args[:1] == ["fit"]:
        from latax.cli.fit import objects_by_name

        kinds.enter_context(objects_by_name())
    return kinds


def _nested(summary: str) -> Callable[[], None]:
    """A stand-in with a help line for a command that has commands of its own."""

    def command() -> None: ...

    command.__doc__ = summary
    return command


def _description(args: Sequence[str]) -> dict[str, Any]:
    nested = bool(args) and args[0] in ("fit", "data")
    return {
        "prog": f"latax {args[0]}" if nested else "latax",
        "description": None if nested else (latax.__doc__ or "").splitlines()[0],
        "config": _config(),
    }


def _config() -> tuple[Any, ...]:
    from tyro.conf import AvoidSubcommands, OmitArgPrefixes

    return (AvoidSubcommands, OmitArgPrefixes)
