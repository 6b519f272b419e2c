"""Asynchronous jobs (UWS 1.0 and 1.1): begun once, found again after a kill, deleted at the end."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from armillary.errors import BadAnswer, SourceFailed
from armillary.model import Progress, share
from armillary.sources.http import Question
from armillary.sources.tap.record import Record
from armillary.sources.tap.service import Query, Service, files_of, pause, raise_refusal
from armillary.sources.tap.votable import Refused

_LIVE: Final = {"PENDING", "QUEUED", "EXECUTING", "RUN", "HELD", "SUSPENDED", "UNKNOWN", "COMPLETED"}
_FIRST: Final = 0.1
_LONGEST: Final = 10.0


@contextmanager
def job_answer(
    service: Service, record: Record, key: str, query: Query, form: Mapping[str, str], now: int, progress: Progress
) -> Iterator[Path]:
    """Have a job do a query and give the file with its answer, which is gone afterwards.

    A job that was begun for the same question, and is still there, is taken up again. It is deleted at the end, when
    the user stops and when it failed; it stays, to be taken up, where the connection was lost or we are killed.

    Raises
    ------
    Refused
        What the server says about the query.
    SourceDown, BadAnswer
    """
    url = _take_up(service, record, key) or _begin(service, record, key, query, form, now, progress)
    try:
        _wait_for(service, url, share(progress, 0.0, 0.5))
        with service.spooled(f"{url}/results/result", Question(), share(progress, 0.5, 0.9)) as path:
            yield path
    except SourceFailed:
        raise  # the job stays, and is taken up by whoever asks again
    except BaseException:
        _end(service, record, key, url)
        raise
    _end(service, record, key, url)


def delete_job(service: Service, url: str) -> None:
    """Delete a job on the server; one that is gone already is no error."""
    answer = service.ask(url, Question(method="DELETE", again=False))
    if answer.status in {403, 405, 501}:  # a proxy that lets only GET and POST through
        service.ask(url, Question(method="POST", form={"ACTION": "DELETE"}, again=False))


def _take_up(service: Service, record: Record, key: str) -> str:
    url = record.job(key)
    if not url:
        return ""
    answer = service.ask(f"{url}/phase", Question())
    phase = _phase(answer.body) if answer.status == 200 else ""
    if phase in _LIVE:
        return url
    _end(service, record, key, url)
    return ""


def _begin(
    service: Service, record: Record, key: str, query: Query, form: Mapping[str, str], now: int, progress: Progress
) -> str:
    progress(0.0, f"beginning a job at {service.name}")
    question = Question(method="POST", form=form, files=files_of(query), again=False)
    answer = service.ask(f"{service.url}/async", question)  # nobody stops us before we know where the job is
    if answer.status >= 400:
        service.refuse(answer.body)
        raise service.wrong_status(answer, answer.body)
    url = answer.landed.partition("?")[0].rstrip("/")
    if url == f"{service.url}/async" or not re.match(r"https?://", url):
        raise BadAnswer(f"{service.name} began a job and did not say where", "ask without --async")
    record.keep_job(key, url, now)
    return url


def _run(service: Service, url: str) -> None:
    answer = service.ask(f"{url}/phase", Question(method="POST", form={"PHASE": "RUN"}, again=False))
    if answer.status >= 400:
        raise service.wrong_status(answer, answer.body)


def _wait_for(service: Service, url: str, progress: Progress) -> None:
    wait = _FIRST
    while True:
        answer = service.get(f"{url}/phase", progress)
        phase = _phase(answer.body)
        if phase == "COMPLETED":
            return
        if phase == "PENDING":
            _run(service, url)
        if phase in {"ERROR", "ABORTED"}:
            raise Refused(_reason(service, url) or f"its job ended as {phase}")
        if phase not in _LIVE:
            raise BadAnswer(f"{service.name} says that its job is {phase[:40]!r}", "try again later")
        pause(wait, f"the job at {service.name} is {phase.lower()}", progress)
        wait = min(wait * 1.5, _LONGEST)


def _reason(service: Service, url: str) -> str:
    """Give what the server says about a job that failed."""
    try:
        with service.spooled(f"{url}/error", Question()) as path:
            raise_refusal(path)
            return " ".join(path.read_text("utf-8", "replace")[:500].split())
    except Refused as said:
        return str(said)
    except SourceFailed:
        return ""


def _end(service: Service, record: Record, key: str, url: str) -> None:
    """Delete a job and forget it; where the server cannot be reached it will do so itself one day."""
    with suppress(SourceFailed):
        delete_job(service, url)
    record.forget_job(key)


def _phase(body: bytes) -> str:
    return body.decode("utf-8", "replace").strip().upper()
