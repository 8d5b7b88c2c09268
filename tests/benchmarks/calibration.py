"""How often findings are right, by their confidence, on generated tables and logs of all kinds.

Run it as ``python tests/benchmarks/calibration.py --tables 600 --seed 1``; it prints the table of docs/judgement.md.
Every table is drawn anew: which kinds of columns, under good, vague, silent or misleading names or those of another
language, how many rows, how much of it is noise. All values are made up; names and things come from tests/people.toml.
"""

from __future__ import annotations

import argparse
import itertools
import random
import string
import sys
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from stdnum import luhn
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.iso7064 import mod_97_10

from mapkeeper import discover
from mapkeeper.classify import Engine
from mapkeeper.model import Finding
from mapkeeper.plugin import Batch

KNOWN = tomllib.loads((Path(__file__).parents[1] / "people.toml").read_text("utf-8"))
LANGUAGES = sorted(KNOWN["people"])
THINGS = list(KNOWN["things"].values()) + list(KNOWN["after_people"].values())
BANDS = (0.5, 0.7, 0.85, 0.95, 1.01)
SIZES = (5, 12, 40, 200, 1000, 10_000)
NOISE = (0.0, 0.0, 0.02, 0.1, 0.3)
JUNK = (None, "-", "n/a", "unknown", "see file", "x", "12", "to be checked", "0")
SILENT = ("col7", "value", "data", "field_3", "f12", "attr", "info", "c4", "var", "item_1", "result", "entry")
ASSETS = {
    "people": ("customers", "staff", "patients", "members", "kunden", "clientes", "abonnes", "users", "contacts"),
    "nothing": ("t1", "export", "data_2026", "tmp", "sheet1", "part", "main", "extract", "raw"),
    "things": ("products", "projects", "orders_items", "devices", "produits", "artikel", "inventory", "shipments"),
}  # fmt: skip

Dice = random.Random
Maker = Callable[[Dice], object]


@dataclass(frozen=True)
class Kind:
    """A kind of column: what its values are, under which names it goes, and which categories are right for it."""

    right: tuple[str, ...]
    names: tuple[str, ...]
    vague: tuple[str, ...]
    drawn: Callable[[Dice], Maker]


def kind(right: str, names: str, vague: str, drawn: Callable[[Dice], Maker]) -> Kind:
    return Kind(tuple(right.split()), tuple(names.split()), tuple(vague.split()), drawn)


def each(make: Maker) -> Callable[[Dice], Maker]:
    return lambda _dice: make


def digits(count: int) -> Callable[[Dice], str]:
    return lambda dice: "".join(dice.choices(string.digits, k=count))


def shaped(*shapes: str) -> Callable[[Dice], Maker]:
    """Values of one shape a column: ``9`` is a digit, ``a`` and ``A`` a letter."""

    def drawn(dice: Dice) -> Maker:
        shape = dice.choice(shapes)
        pick = {"9": string.digits, "a": string.ascii_lowercase, "A": string.ascii_uppercase}
        return lambda dice: "".join(dice.choice(pick[char]) if char in pick else char for char in shape)

    return drawn


def among(*choices: Sequence[object], few: bool = False) -> Callable[[Dice], Maker]:
    """Values from one of some lists a column."""

    def drawn(dice: Dice) -> Maker:
        choice = dice.choice(choices)
        kept = dice.sample(list(choice), min(len(choice), dice.randint(2, 8))) if few else choice
        return lambda dice: dice.choice(kept)

    return drawn


def people(spell: Callable[[str, str], str]) -> Callable[[Dice], Maker]:
    def drawn(dice: Dice) -> Maker:
        told = KNOWN["people"][dice.choice(LANGUAGES)]
        firsts, lasts = told["first"].split(), [name.replace("_", " ") for name in told["last"].split()]
        return lambda dice: spell(dice.choice(firsts), dice.choice(lasts))

    return drawn


def number(low: float, high: float, places: int = 0) -> Callable[[Dice], Maker]:
    return each(lambda dice: round(dice.uniform(low, high), places) if places else dice.randint(int(low), int(high)))


def date(first: int, last: int) -> Callable[[Dice], Maker]:
    def drawn(dice: Dice) -> Maker:
        form = dice.choice(("{0}-{1:02}-{2:02}", "{2:02}/{1:02}/{0}", "{2:02}.{1:02}.{0}", "{0}{1:02}{2:02}"))
        return lambda dice: form.format(dice.randint(first, last), dice.randint(1, 12), dice.randint(1, 28))

    return drawn


def counting(dice: Dice) -> Maker:
    start, step = (
        dice.choice((1, 1000, 4_111_000_000_000_000, 100_000_000, 790_000_000_000)),
        dice.choice((1, 1, 7, 97)),
    )
    made = iter(range(start, start + step * 20_000, step))
    return lambda _dice: next(made)


def mail(dice: Dice) -> str:
    names = ("".join(dice.choices(string.ascii_lowercase, k=dice.randint(2, 8))) for _ in range(2))
    host = dice.choice(("mailhub.net", "post-werk.de", "firma-nord.fr", "acme-corp.com"))
    return f"{dice.choice('._-').join(names)}@{host}"


def address(dice: Dice) -> str:
    return ".".join(str(dice.randint(1, 254)) for _ in range(4))


def account(dice: Dice) -> str:
    body = "FR" + "".join(dice.choices(string.digits, k=10)) + "".join(dice.choices(string.digits, k=13))
    return body[:2] + mod_97_10.calc_check_digits(f"{body[2:]}FR") + body[2:]


def card(dice: Dice) -> str:
    body = dice.choice(("4", "51", "53", "55")) + "".join(dice.choices(string.digits, k=15))
    return body[:15] + luhn.calc_check_digit(body[:15])


def insured(dice: Dice) -> str:
    born = f"{dice.choice('12')}{dice.randint(30, 99)}{dice.randint(1, 12):02}"
    body = f"{born}{dice.randint(1, 95):02}{dice.randint(1, 990):03}{dice.randint(1, 999):03}"
    return body + nir.calc_check_digits(body)


def spanish(dice: Dice) -> str:
    body = f"{dice.randint(1, 99_999_999):08}"
    return body + dni.calc_check_digit(body)


def phone(dice: Dice) -> Maker:
    form = dice.choice(("+33 6 99 99 99 99", "+49 170 9999999", "(212) 555-9999", "06 99 99 99 99", "+44 20 7946 9999"))
    return shaped(form)(dice)


def street(dice: Dice) -> Maker:
    form = dice.choice(
        ("{n} rue {w}", "{w}straße {n}", "{n} {w} Street", "Calle {w} {n}", "Via {w} {n}", "{n} {w} Ave")
    )
    words = ("Haupt", "Bahnhof", "Victor Hugo", "Maple", "Mayor", "Roma", "High", "Church", "Linden", "Garibaldi")
    return lambda dice: form.format(n=dice.randint(1, 240), w=dice.choice(words))


def note(dice: Dice) -> Maker:
    """Texts, of which some hold an address; or none."""
    every = dice.choice((3, 20, 50))
    said = ("called again about the parcel", "asked for a new appointment", "wants the refund this week", "is on leave")
    return lambda dice: (
        f"{dice.choice(said)}, reach at {mail(dice)} please" if not dice.randrange(every) else dice.choice(said)
    )


CITIES = ("Lyon", "Turin", "Nürnberg", "Leeds", "Québec", "Porto", "Gent", "Graz", "Cork", "Basel", "Lille", "Bremen")
ONES: Mapping[str, Kind] = {
    "e-mail": kind(
        "contact.email communication.metadata credential.username",
        "email E_Mail_Addr courriel correo_electronico emailAdresse indirizzo_email",
        "contact address recipient owner",
        each(mail),
    ),
    "full name": kind(
        "identity.name",
        "full_name customer_name nom_complet Kundenname nombre_completo nome_completo",
        "name contact owner title nom",
        people(lambda first, last: f"{first} {last}"),
    ),
    "first name": kind(
        "identity.name",
        "first_name prenom Vorname nombre_de_pila voornaam",
        "name first nom",
        people(lambda first, _: first),
    ),
    "last name": kind(
        "identity.name",
        "last_name nom_famille Nachname apellido cognome achternaam",
        "name last",
        people(lambda _, last: last),
    ),
    "card": kind(
        "financial.card",
        "card_number credit_card numero_carte kreditkarte",
        "number account code",
        each(card),
    ),
    "iban": kind(
        "financial.bank_account",
        "iban bank_account compte_bancaire",
        "account code number",
        each(account),
    ),
    "phone": kind(
        "contact.phone",
        "phone tel_no telephone Telefonnummer telefono mobile",
        "contact number",
        phone,
    ),
    "street": kind(
        "contact.postal contact.postal_address location.coarse",
        "street address_line_1 rue Strasse direccion indirizzo",
        "address line",
        street,
    ),
    "ip": kind(
        "online.ip",
        "client_ip ip_address adresse_ip remote_addr",
        "source remote host src",
        each(address),
    ),
    "city": kind(
        "location.coarse",
        "city ville Ort ciudad",
        "place",
        among(CITIES),
    ),
    "born": kind(
        "identity.date_of_birth",
        "date_of_birth dob date_naissance Geburtsdatum fecha_nacimiento",
        "",
        date(1930, 2008),
    ),
    "sex": kind(
        "identity.gender",
        "gender sexe Geschlecht sexo",
        "",
        among(("m", "f"), ("male", "female"), ("M", "F", "X")),
    ),
    "French insurance": kind(
        "identity.national_id health.insurance_id",
        "nir numero_secu numero_securite_sociale",
        "number code",
        each(insured),
    ),
    "Spanish number": kind(
        "identity.national_id identity.tax_id",
        "dni numero_dni documento_identidad",
        "number code",
        each(spanish),
    ),
    "user": kind(
        "credential.username",
        "username login user_id benutzername",
        "account agent",
        shaped("aaaaaa", "a.aaaaaa", "aaaa99"),
    ),
    "age": kind(
        "identity.age",
        "age patient_age Alter edad",
        "",
        number(1, 95),
    ),
    "salary": kind(
        "financial.salary employment.pay financial.income",
        "salary annual_salary salaire Gehalt",
        "amount",
        number(18_000, 120_000),
    ),
    "notes": kind(
        "contact.email unstructured.free_text communication.content",
        "notes comments remarks Bemerkung",
        "text description",
        note,
    ),
}
NOBODYS: Mapping[str, Kind] = {
    "key": kind(
        "",
        "id row_id seq invoice_no",
        "number account phone_ref card_ref",
        counting,
    ),
    "sixteen digits": kind(
        "",
        "order_number reference tracking",
        "number code card_ref",
        each(lambda dice: "4" + digits(15)(dice)),
    ),
    "nine digits": kind(
        "",
        "serial batch part_number job_no",
        "number code",
        shaped("999999999", "99999999", "9999999999", "99999999999", "999-99-9999"[:9]),
    ),
    "version": kind(
        "",
        "version release build",
        "value",
        each(lambda dice: f"{dice.randint(0, 20)}.{dice.randint(0, 30)}.{dice.randint(0, 99)}.{dice.randint(0, 250)}"),
    ),
    "sku": kind(
        "",
        "sku product_code article_no",
        "code item",
        shaped("AA-9999", "AAA999999", "9999-AAAA", "A99999"),
    ),
    "thing": kind(
        "",
        "product label category brand department project",
        "name title nom",
        lambda dice: among(*THINGS)(dice),
    ),
    "city list": kind(
        "location.coarse",
        "branch hub depot",
        "name",
        among(CITIES),
    ),
    "uuid": kind(
        "",
        "request_id trace_id guid",
        "key token",
        each(lambda dice: str(uuid.UUID(int=dice.getrandbits(128), version=4))),
    ),
    "hash": kind(
        "",
        "checksum etag commit",
        "key value",
        shaped("a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9"),
    ),
    "flag": kind(
        "",
        "active email_verified has_phone is_member",
        "status",
        among((0, 1), ("yes", "no"), ("Y", "N")),
    ),
    "count": kind(
        "",
        "quantity email_count page_views weight_kg stock",
        "total value",
        number(0, 90),
    ),
    "price": kind(
        "",
        "unit_price discount rate score temperature",
        "amount",
        number(0.5, 900, 2),
    ),
    "latency": kind(
        "",
        "lat duration_ms elapsed eta",
        "time",
        number(0.1, 80, 2),
    ),
    "day": kind(
        "",
        "created_at order_date due updated",
        "date",
        date(2019, 2026),
    ),
    "state": kind(
        "",
        "status level priority stage type",
        "code",
        among(
            ("open", "closed", "pending"),
            ("low", "high", "medium"),
            ("M", "L", "XL", "S"),
            ("A", "B", "C"),
            ("single", "double", "suite"),
        ),
    ),
    "epoch": kind(
        "",
        "timestamp ts epoch",
        "time",
        number(1_600_000_000, 1_800_000_000),
    ),
    "text": kind(
        "",
        "summary instructions caption ingredients",
        "description text",
        among(
            ("mix well and serve cold", "tighten all screws again", "keep out of the rain", "see page seven for more")
        ),
    ),
    "colour": kind(
        "",
        "color material size_name breed",
        "name type",
        among(("white", "black", "mixed", "brown", "red"), ("orange", "green", "blue", "pink"), few=True),
    ),
    "made-up name": kind(
        "",
        "codename vessel theme server",
        "name host",
        among(("Zorvex", "Quintabo", "Belmarsk", "Tirvale", "Ostrand", "Myxolo", "Pandrake")),
    ),
}
LINES: Sequence[tuple[str, str, Maker]] = (
    ("online.ip", "connection from {} port 4412 closed after 12 s", address),
    ("contact.email", "message for {} was queued on disk two", mail),
    (
        "credential.username",
        "Failed password for invalid user {} from host seven port 22 ssh2",
        lambda dice: shaped("aaaaaa")(dice)(dice),
    ),
    ("financial.card", "payment with card number {} was declined by the bank", card),
    ("financial.bank_account", "transfer to {} was booked today", account),
    ("", "packed order {} for the truck of the day", lambda dice: "4" + digits(15)(dice)),
    ("", "agent started, version {} on time", lambda dice: ".".join(str(dice.randint(0, 60)) for _ in range(4))),
    ("", "block blk_{} was received and stored", digits(19)),
    ("", "job {} took too long and was stopped", digits(9)),
    ("", "request {} done in no time at all", lambda dice: str(uuid.UUID(int=dice.getrandbits(128), version=4))),
    ("", "read sector {} of the second disk", digits(10)),
    ("", "module {} was loaded again", lambda dice: shaped("aaaaaa_aaa")(dice)(dice)),
)


def noisy(dice: Dice, make: Maker, rows: int, noise: float) -> list[str | None]:
    kept = [None if dice.random() < 0.04 else make(dice) for _ in range(rows)]
    junk = [dice.choice(JUNK) if dice.random() < noise else cell for cell in kept]
    return [None if cell is None else str(cell) for cell in junk]


def typed(cells: list[str | None]) -> pa.Array:
    """As a store would hold them: numbers as numbers, where all are."""
    try:
        return pa.array(cells, pa.string()).cast(pa.int64())
    except pa.ArrowInvalid:
        return pa.array(cells, pa.string())


def named(dice: Dice, kind: Kind, of_people: bool, sort: str) -> str:
    """Mostly good names, some vague or silent; now and then that of another kind."""
    way = dice.random()
    if sort == "people" and not of_people and way < 0.65:
        return dice.choice(kind.names)  # what has nothing to do with people is called by its name among them
    if way < 0.5 or (way < 0.7 and not kind.vague):
        return dice.choice(kind.names)
    if way < 0.7:
        return dice.choice(kind.vague)
    if way < 0.96:
        return dice.choice(SILENT)
    return dice.choice(dice.choice(list((NOBODYS if of_people else ONES).values())).names)


Columns = dict[str, tuple[tuple[str, ...], pa.Array]]


def table(dice: Dice, sizes: Sequence[int]) -> tuple[str, Columns]:
    """A table: its name, and its columns with the categories that are right for each."""
    sort = dice.choice(("people", "nothing", "things"))
    rows, share = dice.choice(sizes), {"people": 0.7, "nothing": 0.45, "things": 0.15}[sort]
    columns: Columns = {}
    for _ in range(dice.randint(2, 9)):
        of_people = dice.random() < share
        kind = dice.choice(list((ONES if of_people else NOBODYS).values()))
        cells = noisy(dice, kind.drawn(dice), rows, dice.choice(NOISE))
        columns[named(dice, kind, of_people, sort)] = kind.right, typed(cells)
    return dice.choice(ASSETS[sort]), columns


def log(dice: Dice, sizes: Sequence[int]) -> tuple[str, Columns]:
    """A log of lines of a few kinds."""
    lines = dice.sample(LINES, dice.randint(2, 6))
    rows = dice.choice(sizes)
    text = []
    for _ in range(rows):
        _, form, make = dice.choice(lines)
        text.append(f"Nov {dice.randint(1, 30):2} 12:{dice.randint(0, 59):02}:07 {form.format(make(dice))}")
    right = tuple(category for category, _, _ in lines if category)
    return dice.choice(("app.log", "syslog", "worker.log.1", "out")), {"text": (right, pa.array(text))}


def judged(
    engine: Engine, seed: int, count: int, most_rows: int = SIZES[-1]
) -> Iterator[tuple[Finding, bool, tuple[str, ...]]]:
    """Every finding of a number of tables and logs, whether it is right, and what would be."""
    sizes = [size for size in SIZES if size <= most_rows]
    for at in range(count):
        dice = random.Random(f"{seed}/{at}")
        asset, columns = log(dice, sizes) if at % 5 == 0 else table(dice, sizes)
        run = engine.start(asset)
        run.add(Batch(pa.RecordBatch.from_pydict({name: cells for name, (_, cells) in columns.items()}), first=1))
        for finding in run.finish().findings:
            right = columns[finding.field][0]
            yield finding, finding.category in right, right


def measured(found: Sequence[tuple[float, bool]]) -> list[tuple[str, int, float, float]]:
    """By band of confidence: findings, their mean confidence, and the share of right ones."""
    rows = []
    for low, high in itertools.pairwise(BANDS):
        band = [(confidence, right) for confidence, right in found if low <= confidence < high]
        if band:
            mean = sum(confidence for confidence, _ in band) / len(band)
            rows.append((f"{low} to {min(high, 1.0)}", len(band), mean, sum(right for _, right in band) / len(band)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="print the findings that are wrong")
    asked = parser.parse_args()
    found: list[tuple[float, bool]] = []
    for finding, right, truth in judged(Engine(discover.rules()), asked.seed, asked.tables):
        found.append((finding.confidence, right))
        if asked.wrong and not right and finding.confidence >= BANDS[0]:
            print(finding.confidence, finding.field, finding.rule, truth, "; ".join(finding.why), file=sys.stderr)
    print("| confidence | findings | mean confidence | share that is right |\n| --- | --- | --- | --- |")
    for band, count, mean, share in measured(found):
        print(f"| {band} | {count} | {mean:.2f} | {share:.2f} |")
    sure = [right for confidence, right in found if confidence >= 0.85]
    print(f"\nOf {len(sure)} certain findings {sum(sure)} are right: {sum(sure) / len(sure):.1%}.")


if __name__ == "__main__":
    main()
