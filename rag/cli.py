"""The command `rag`: ingest, search, ask, serve, index.

Knows options, exit statuses and how results look in a terminal. Nothing is decided here.

With `--json` one JSON object goes to standard output and nothing else; progress and logs go to standard error.
Heavy imports happen inside commands, so that `rag --help` is instant.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
import msgspec

from rag.errors import IndexDamaged, OperatorError, YibaoError
from rag.masking import MaskingFilter
from rag.settings import Settings, read_settings

if TYPE_CHECKING:
    from rag.building import Progress
    from rag.domain import Outcome

EXIT_SOME_FILES_FAILED = 3
EXIT_OPERATOR = 1
EXIT_CALLER = 2


class _Group(click.Group):
    """Turns our own errors into one line and an exit status; others stay tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        try:
            return super().invoke(ctx)
        except YibaoError as error:
            click.echo(f"rag: {error}", err=True)
            ctx.exit(EXIT_OPERATOR if isinstance(error, OperatorError) else EXIT_CALLER)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(ctx: click.Context) -> None:
    """医保问答 - answers on Chinese medical insurance, every claim proven by its source."""
    ctx.obj = settings = read_settings()
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(MaskingFilter())
    for noisy in ("httpx", "httpx2", "chromadb", "openai", "bm25s", "trafilatura", "htmldate"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Remove documents whose files are gone from PATHS.")
@click.option(
    "--rebuild", is_flag=True, help="Build the index of PATHS alone: after damage, or to change the embedder."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def ingest(settings: Settings, paths: tuple[Path, ...], *, prune: bool, rebuild: bool, as_json: bool) -> None:
    """Bring files or folders (.md, .txt, .html, .pdf) into the index.

    Exits with 3 when some files could not be read; the others are in.
    """
    from rag.wiring import build_indexer

    with _progress() as progress:
        report = build_indexer(settings, progress).ingest(paths, prune=prune, rebuild=rebuild)
    if as_json:
        _print_json(report)
    else:
        click.echo(
            f"{report.documents} documents, {report.chunks} chunks in snapshot {report.snapshot}: "
            f"{report.embedded} vectors computed, {report.reused} reused, {report.removed} documents removed"
        )
    for problem in report.problems:
        click.echo(f"not ingested: {problem.file}: {problem.reason}", err=True)
    if report.problems:
        sys.exit(EXIT_SOME_FILES_FAILED)


@main.command()
@click.argument("question")
@click.option("--k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@click.option("--json", "as_json", is_flag=True, help="Print the passages as JSON.")
@click.pass_obj
def search(settings: Settings, question: str, k: int, *, as_json: bool) -> None:
    """Show the passages that are nearest to a question."""
    from rag.asking import understood
    from rag.domain import Query
    from rag.searching import CurrentSearcher
    from rag.web.passages import passage_row
    from rag.wiring import ChinaClock, build_embedder, build_reranker, build_store

    searchers = CurrentSearcher(build_store(settings), build_embedder(settings), build_reranker(settings))
    with searchers.lend() as searcher:
        today = ChinaClock().today()
        asked = understood(Query(question, today))
        found = searcher.passages(asked.searched, asked.places, today, k)
    searchers.close()
    rows = [passage_row(rank, passage) for rank, passage in enumerate(found, 1)]
    if as_json:
        _print_json({"passages": rows})
        return
    for row in rows:
        click.echo(f"{row.rank:>2}. {row.section}  ({row.source}, {row.published or '无日期'})")
        click.echo(f"    {' '.join(row.text.split())}")


@main.command()
@click.argument("question")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Answer as of this date.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.pass_obj
def ask(settings: Settings, question: str, as_of: Any, *, as_json: bool) -> None:  # noqa: ANN401 - click's datetime
    """Answer a question."""
    from rag.web.requests import checked_question
    from rag.wiring import Service

    words = checked_question(question)
    service = Service(settings)

    async def answered() -> Outcome:
        try:
            return await service.pipeline.answer(service.pipeline.query(words, as_of=as_of.date() if as_of else None))
        finally:
            await service.aclose()

    outcome = asyncio.run(answered())
    if as_json:
        _print_json(outcome)
    else:
        _show(outcome)


@main.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def check(file: TextIO, *, as_json: bool) -> None:
    """Check claims against their evidence; no language model is asked.

    FILE has a line of JSON a claim: {"id", "claim", "evidence", "title"?}; - reads standard input.
    """
    from rag.answer.verifying.batch import check_lines

    results = check_lines(file)
    if as_json:
        _print_json({"results": results})
        return
    for result in results:
        problems = "; ".join(f"{p.kind}: {p.claim} / {p.evidence}" for p in result.problems)
        click.echo(f"{result.id}: {'supported' if result.supported else problems}")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.pass_obj
def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the chat endpoint and its page."""
    from rag.web.app import serve as run

    run(settings, host, port)


@main.group()
def index() -> None:
    """Look after index snapshots."""


@index.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def index_list(settings: Settings, *, as_json: bool) -> None:
    """Show all snapshots, oldest first; * marks the current one, - the one that `rollback` goes to."""
    from rag.snapshots import Pointer
    from rag.wiring import build_store

    store = build_store(settings)
    listed = store.listed()
    try:
        pointer = store.pointer()
    except IndexDamaged as error:  # this list is what the error sends people to
        click.echo(f"rag: {error}", err=True)
        pointer = Pointer(None, None)
    if as_json:
        rows = [
            msgspec.to_builtins(one.manifest) | {"files": len(one.manifest.files), "bytes": one.size} for one in listed
        ]
        _print_json({"current": pointer.snapshot, "previous": pointer.previous, "snapshots": rows})
        return
    marks = {pointer.snapshot: "*", pointer.previous: "-"}
    for one in listed:
        made = one.manifest
        click.echo(
            f"{marks.get(made.id, ' ')} {made.id}  {made.created.astimezone():%Y-%m-%d %H:%M}  "
            f"{made.documents} documents, {made.chunks} chunks, {made.units} units  "
            f"{made.embedder.id if made.embedder else 'no vectors'}  {one.size / 1e6:.1f} MB"
        )


@index.command("activate")
@click.argument("snapshot")
@click.pass_obj
def index_activate(settings: Settings, snapshot: str) -> None:
    """Make SNAPSHOT current; a running server follows at its next request."""
    from rag.wiring import build_store

    build_store(settings).activate(snapshot)


@index.command("rollback")
@click.pass_obj
def index_rollback(settings: Settings) -> None:
    """Make the previous snapshot current again."""
    from rag.wiring import build_store

    click.echo(build_store(settings).rollback())


@index.command("gc")
@click.pass_obj
def index_gc(settings: Settings) -> None:
    """Delete all snapshots but the current and the previous one."""
    from rag.wiring import build_store

    store = build_store(settings)
    with store.writer():
        for removed in store.collect_garbage():
            click.echo(removed)


@index.command("verify")
@click.argument("snapshot", required=False)
@click.pass_obj
def index_verify(settings: Settings, snapshot: str | None) -> None:
    """Compare a snapshot (default: the current one) with its manifest and search for its own rows."""
    from rag.snapshots import Snapshot
    from rag.wiring import build_storage, build_store

    store = build_store(settings)
    opened = Snapshot(store.snapshots / snapshot, build_storage(settings)) if snapshot else store.open_current()
    with closing(opened):
        opened.verify()
    click.echo(f"{opened.manifest.id}: {opened.manifest.chunks} chunks and {opened.manifest.units} units verified")


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def _show(outcome: Outcome) -> None:
    click.echo(outcome.text)
    for citation in outcome.citations:
        click.echo(f"\n[{citation.marker}] 《{citation.document_title}》{citation.section}  ({citation.source})")
        click.echo("    " + citation.quote.replace("\n", "\n    "))


class _progress:  # noqa: N801 - used as a function
    """A progress bar on standard error, one task a stage; silent where no terminal listens."""

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._tasks: dict[str, Any] = {}
        self._bar.start()
        return self._advance

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _advance(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total)
        self._bar.update(self._tasks[stage], completed=done, total=total)


if __name__ == "__main__":
    main()
