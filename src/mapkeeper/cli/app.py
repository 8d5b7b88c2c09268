"""The commands, put together; what goes wrong becomes one line and an exit status.

Whatever is heavy is imported inside a command, so that ``mapkeeper --help`` answers at once.
"""

from __future__ import annotations

import gc
import logging
import re
import sys
import threading
import traceback
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mapkeeper.cli import reading, register, rules, scanning, sources, text, upkeep, verdict
from mapkeeper.cli.output import remark
from mapkeeper.errors import ConfigurationError, MapkeeperError, PluginError, RuleError, UsageError

_PASSWORD = re.compile(r"://[^\s'\"]*@")
"""Whatever stands before a host: an address with a password may have been put where something else belongs."""

_COLLECTED = 100_000
"""New objects after which rubbish is looked for: modules, rules and engines are many objects that all stay, and to look
through them at every few hundred takes a quarter of a short command's time."""

WRONG_USAGE = 2
NOTHING_DONE = 3


class Commands(TyperGroup):
    """Turns an error that mapkeeper raises on purpose into one line on stderr and an exit status."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Accept ``--debug`` anywhere."""
        ctx.meta["debug"] = "--debug" in args
        return super().parse_args(ctx, [arg for arg in args if arg != "--debug"])

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except MapkeeperError as error:
            _say(ctx, str(error), error)
            usage = isinstance(error, ConfigurationError | UsageError | PluginError | RuleError)
            raise typer.Exit(WRONG_USAGE if usage else NOTHING_DONE) from None
        except BrokenPipeError:  # whoever read our output has seen enough
            sys.stderr.close()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            _say(ctx, "interrupted; what was recorded stays", None)
            raise typer.Exit(1) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BaseException as error:  # also the panic of a library in Rust, which is no `Exception`
            if type(error).__module__.startswith(("click", "typer")):
                raise
            _say(ctx, f"{type(error).__name__}: this is a fault of mapkeeper; --debug shows where", error)
            raise typer.Exit(NOTHING_DONE) from None


def _say(ctx: Any, text: str, error: BaseException | None) -> None:
    for line in text.split("\n"):
        remark(f"mapkeeper: {_PASSWORD.sub('://***@', line)}")
    if ctx.meta.get("debug") and error is not None:
        # Frames and types only: what a driver or a parser says may quote a value.
        for frame in traceback.extract_tb(error.__traceback__):
            typer.echo(f"  {frame.filename}:{frame.lineno} in {frame.name}", err=True)


app = typer.Typer(
    cls=Commands,
    name="mapkeeper",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with [bold]mapkeeper demo[/bold], or point [bold]mapkeeper inspect[/bold] at something of your own.",
)


def _version(asked: bool) -> None:
    if asked:
        from mapkeeper import __version__

        typer.echo(f"mapkeeper {__version__}")
        raise typer.Exit


@app.callback()
def _everything(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """The map of personal data that you hold for your clients: what, where, and where it goes."""


def main() -> None:
    """Run the command line; the entry point of the ``mapkeeper`` script."""
    _hush()
    gc.set_threshold(_COLLECTED)
    try:
        app()
    finally:
        gc.freeze()  # the process ends: nothing that it holds is looked through once more


def _hush() -> None:
    """What libraries log, warn of and cannot raise may quote values: it is not shown."""
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    threading.excepthook = lambda _: None


for _part in (upkeep, scanning, reading, verdict, sources, register, rules, text):
    _part.add_to(app)
