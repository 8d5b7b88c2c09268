"""Globex, a German maker of machines: what its servers and its firewall log, in the store that clients share."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from mapkeeper.demo import numbers, people, weblog, write
from mapkeeper.demo.chance import Draw, moments, token
from mapkeeper.demo.people import Person
from mapkeeper.demo.words import words

STAFF, STRAYS = 80, 40


def staff(draw: Draw, day: dt.date, count: int = STAFF) -> list[Person]:
    """Who works there."""
    return people.people(draw, day, count, {"DE": 0.9, "FR": 0.1}, ("globex.example",), youngest=18)


def write_logs(folder: Path, strangers: Sequence[Person], draw: Draw, day: dt.date) -> None:
    """Write the firm's part of the shared store.

    ``strangers`` are another client's customers; some of them lie in a file here, where they do not belong.
    """
    workers = staff(draw, day)
    start = day - dt.timedelta(days=21)
    write.rotated(folder / "auth.log", list(_auth(workers, draw, start, day)), day)
    write.rotated(folder / "access.log", list(_access(workers, draw, start, day)), day)
    write.lines(folder / "app.log", _app(workers, draw, day), day)
    write.lines(folder / "firewall.log", _firewall(workers, draw, day), day)
    owner = workers[0]
    messages = json.dumps(list(_mails(owner, workers, draw, day)), ensure_ascii=False, indent=1)
    write.data(folder / "mail-exports" / f"{owner.email}.json", messages.encode(), day)
    rows = [(who.name, who.email, who.phone, draw.randrange(1, 9)) for who in draw.sample(strangers, STRAYS)]
    write.table(folder / "exports" / "fair_contacts.csv", ("name", "email", "phone", "hall"), rows, day)


def _auth(workers: Sequence[Person], draw: Draw, start: dt.date, day: dt.date) -> Iterator[str]:
    firm = words()["firm"]
    for moment in moments(draw, start, day, 2_400):
        head = f"{weblog.MONTHS[moment.month - 1]} {moment.day:2} {moment:%H:%M:%S} {draw.choice(firm['hosts'])}"
        who, pid, port, kind = draw.choice(workers).user, draw.randrange(900, 32_000), _port(draw), draw.random()
        if kind < 0.35:
            key = token(draw, 43)
            said = (
                f"Accepted publickey for {who} from {numbers.private_ip(draw)} port {port} ssh2: ED25519 SHA256:{key}"
            )
        elif kind < 0.5:
            said = f"pam_unix(sshd:session): session opened for user {who}(uid={draw.randrange(1000, 1080)}) by (uid=0)"
        elif kind < 0.75:
            guess = draw.choice(firm["guesses"])
            said = f"Failed password for invalid user {guess} from {numbers.public_ip(draw)} port {port} ssh2"
        elif kind < 0.85:
            said = f"Connection closed by {numbers.public_ip(draw)} port {port} [preauth]"
        elif kind < 0.95:
            command = draw.choice(firm["commands"])
            yield f"{head} sudo: {who} : TTY=pts/{pid % 4} ; PWD=/home/{who} ; USER=root ; COMMAND={command}"
            continue
        else:
            yield f"{head} CRON[{pid}]: pam_unix(cron:session): session closed for user root"
            continue
        yield f"{head} sshd[{pid}]: {said}"


def _access(workers: Sequence[Person], draw: Draw, start: dt.date, day: dt.date) -> Iterator[str]:
    paths = words()["firm"]["paths"]
    for moment in moments(draw, start, day, 3_000):
        user = draw.choice(workers).user if draw.random() < 0.5 else "-"
        yield weblog.combined(draw, moment, user, draw.choice(paths), "https://portal.globex.example/")


def _app(workers: Sequence[Person], draw: Draw, day: dt.date) -> Iterator[str]:
    for number, moment in enumerate(moments(draw, day - dt.timedelta(days=3), day, 1_500)):
        who = draw.choice(workers)
        record = {
            "time": f"{moment.isoformat()}Z",
            "level": "INFO",
            "message": draw.choice(words()["firm"]["events"]),
            "request_id": numbers.uuid(draw),
            "duration_ms": draw.randrange(3, 900),
            "user": {"email": who.email, "ip": numbers.private_ip(draw)},
            "build": f"10.4.{draw.randrange(3)}.{draw.randrange(1, 40)}",
        }
        if number == 700:
            account = numbers.iban(draw, "DE")
            record |= {"level": "DEBUG", "message": f"supplier payload: iban={account} amount=1840.00"}
        yield json.dumps(record)
        if number % 500 == 250:
            yield 'Exception in thread "worker-7" java.lang.IllegalStateException: queue is full'
            yield "\tat com.example.portal.Queue.offer(Queue.java:88)"


def _firewall(workers: Sequence[Person], draw: Draw, day: dt.date) -> Iterator[str]:
    for moment in moments(draw, day - dt.timedelta(days=2), day, 1_500):
        source, port = numbers.private_ip(draw), _port(draw)
        target, deny = numbers.public_ip(draw), draw.random() < 0.1
        user = f' user="{draw.choice(workers).user}"' if draw.random() < 0.6 else ""
        params = f'src="{source}" spt="{port}" dst="{target}" dpt="443" smac="{numbers.mac(draw)}"{user}'
        said = f"{'denied' if deny else 'allowed'} TCP {source}:{port} -> [{target}]:443"
        head = f"<{132 if deny else 134}>1 {moment.isoformat()}.{draw.randrange(1000):03}Z gx-fw-01 filterd 812"
        # 32473 is the enterprise number that IANA keeps for examples
        yield f"{head} {'DENY' if deny else 'ALLOW'} [conn@32473 {params}] {said}"


def _mails(owner: Person, workers: Sequence[Person], draw: Draw, day: dt.date) -> Iterator[dict[str, object]]:
    firm = words()["firm"]
    for moment in moments(draw, day - dt.timedelta(days=60), day, 120):
        sender, *others = draw.sample(workers, 3)
        yield {
            "date": moment.isoformat(),
            "from": f"{sender.name} <{sender.email}>",
            "to": [owner.email, *(who.email for who in others)],
            "subject": draw.choice(firm["subjects"]),
            "body": f"{draw.choice(firm['bodies'])}\n\n{sender.name}\nTel. {sender.phone}",
            "received_from": numbers.public_ip(draw),
            "size": draw.randrange(2_000, 90_000),
        }


def _port(draw: Draw) -> int:
    return draw.randrange(32_768, 61_000)
