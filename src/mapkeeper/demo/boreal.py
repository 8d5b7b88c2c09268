"""Clinique Boréale, a clinic in Quebec: nightly exports, some of which went wrong."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path

from mapkeeper.demo import numbers, people, write
from mapkeeper.demo.chance import Draw, digits, moments
from mapkeeper.demo.people import Person
from mapkeeper.demo.words import words

PATIENTS, STAFF, DAYS = 900, 36, 6


def write_exports(folder: Path, draw: Draw, day: dt.date) -> None:
    """Write the clinic's exports: families of dated files, nested JSON, and what cannot be read."""
    patients = people.people(draw, day, PATIENTS, {"CA": 1}, people.MAIL_HOSTS, youngest=1)
    staff = people.people(draw, day, STAFF, {"CA": 1}, ("boreal.example",), youngest=22)
    numbers_of = [numbers.ramq(who.last, who.first, who.birth, who.sex, draw) for who in patients]
    _patients(folder / "patients.parquet", patients, numbers_of, draw, day)
    for back in range(DAYS):
        _appointments(folder, patients, staff, draw, day - dt.timedelta(days=back))
    _lab_results(folder / "lab_results.jsonl.gz", patients, numbers_of, staff, draw, day)
    _billing(folder / "billing.csv", draw, day)
    _payroll(folder, staff, draw, day)
    write.data(folder / "allergies.csv", b"", day)  # the export that produced nothing
    _referrals(folder / "referrals.csv.gz", patients, draw, day)
    for number in range(1, 5):
        scan = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + draw.randbytes(20_000)
        write.data(folder / "scanned-letters" / f"letter_{number:04}.pdf", scan, day)


def _patient_id(number: int) -> str:
    return f"P{200_000 + 13 * number}"


def _patients(path: Path, patients: Sequence[Person], ramq: Sequence[str], draw: Draw, day: dt.date) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "patient_id": [_patient_id(number) for number in range(len(patients))],
            "last_name": [who.last for who in patients],
            "first_name": [who.first for who in patients],
            "birth_date": pa.array([who.birth for who in patients], pa.date32()),
            "sex": [who.sex for who in patients],
            "ramq": list(ramq),
            "address": [who.street for who in patients],
            "city": [who.city for who in patients],
            "postal_code": [who.postal_code for who in patients],
            "phone": [who.phone for who in patients],
            "email": [who.email if draw.random() < 0.7 else None for who in patients],
            "allergies": [draw.choice(words()["clinic"]["allergies"]) or None for _ in patients],
            "chart_pages": pa.array([draw.randrange(1, 90) for _ in patients], pa.int16()),
            "row_checksum": [digits(draw, 16) for _ in patients],
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    write.stamp(path, day)


def _appointments(folder: Path, patients: Sequence[Person], staff: Sequence[Person], draw: Draw, day: dt.date) -> None:
    clinic = words()["clinic"]
    head = ("appointment_id", "patient_id", "starts_at", "practitioner", "icd10", "reason", "room", "minutes", "status")
    rows = []
    for number in range(90):
        code, reason = draw.choice(clinic["visits"])
        if number % 15 == 7:
            reason = f"{reason}, {draw.choice(clinic['calls']).format(phone=people.phone(draw, 'CA'))}"
        starts = dt.datetime.combine(day, dt.time(8)) + dt.timedelta(minutes=5 * draw.randrange(108))
        patient = _patient_id(draw.randrange(len(patients)))
        doctor = f"Dr {draw.choice(staff[:8]).name}"
        status = draw.choices(("venu", "absent", "annulé"), (85, 8, 7))[0]
        appointment = f"A{day:%y%m%d}{number:03}"
        minutes = draw.choice((15, 20, 30))
        rows.append((appointment, patient, starts.isoformat(), doctor, code, reason, number % 7 + 1, minutes, status))
    write.table(folder / f"appointments_{day}.csv", head, rows, day)


def _lab_results(
    path: Path, patients: Sequence[Person], ramq: Sequence[str], staff: Sequence[Person], draw: Draw, day: dt.date
) -> None:
    records = []
    for moment in moments(draw, day - dt.timedelta(days=30), day, 700):
        number = draw.randrange(len(patients))
        results = [
            {
                "loinc": loinc,
                "name": name,
                "value": round(draw.uniform(low, high), 1),
                "unit": unit,
                "abnormal": draw.random() < 0.1,
            }
            for loinc, name, unit, low, high in draw.sample(words()["clinic"]["tests"], draw.randrange(1, 4))
        ]
        patient = {"id": _patient_id(number), "name": patients[number].name, "ramq": ramq[number]}
        records.append(
            {
                "collected_at": moment.isoformat(),
                "patient": patient,
                "ordered_by": draw.choice(staff[:8]).name,
                "analyser": {"model": "HX-9", "software": f"10.1.{draw.randrange(4)}.{draw.randrange(1, 30)}"},
                "results": results,
            }
        )
    write.lines(path, (json.dumps(record, ensure_ascii=False) for record in records), day)


def _billing(path: Path, draw: Draw, day: dt.date) -> None:
    head = ("invoice_no", "patient_id", "invoiced_on", "amount", "currency", "insurer", "policy_number", "paid")
    rows = []
    for number in range(800):
        patient = _patient_id(draw.randrange(PATIENTS))
        invoiced = day - dt.timedelta(days=draw.randrange(365))
        amount = f"{draw.randrange(2_000, 48_000) / 100:.2f}"
        policy = f"{draw.choice(('AR', 'MF', 'GS'))}-{digits(draw, 8)}"
        insurer, paid = draw.choice(words()["clinic"]["insurers"]), draw.choice(("yes", "yes", "yes", "no"))
        rows.append((f"F-{50_000 + number}", patient, invoiced, amount, "CAD", insurer, policy, paid))
    write.table(path, head, rows, day)


def _payroll(folder: Path, staff: Sequence[Person], draw: Draw, day: dt.date) -> None:
    """Three months of pay slips, one file a month."""
    head = ("employee_no", "full_name", "job_title", "nas", "gross_salary", "deposit_account", "cost_centre")
    people_paid = [
        (
            f"E{1_000 + 3 * number}",
            who.name,
            draw.choice(words()["clinic"]["jobs"]),
            numbers.sin(draw),
            draw.randrange(3_400, 14_000),
            f"{digits(draw, 5)}-999-{digits(draw, 7)}",
            draw.choice(("44100", "44200", "44310")),
        )
        for number, who in enumerate(staff)
    ]
    last = day.replace(day=1)
    for _ in range(3):
        last -= dt.timedelta(days=1)
        write.table(folder / f"payroll_{last:%Y-%m}.csv", head, people_paid, last)
        last = last.replace(day=1)


def _referrals(path: Path, patients: Sequence[Person], draw: Draw, day: dt.date) -> None:
    """An export that was cut off half-way: the compressed file ends in the middle."""
    text = io.StringIO()
    text.write("referral_id,patient_id,patient_email,department,icd10\n")
    for number in range(9_000):
        who, (code, _) = draw.choice(patients), draw.choice(words()["clinic"]["visits"])
        department = draw.choice(words()["clinic"]["departments"])
        text.write(f"R{70_000 + number},{_patient_id(draw.randrange(PATIENTS))},{who.email},{department},{code}\n")
    whole = gzip.compress(text.getvalue().encode(), 6, mtime=0)
    path.write_bytes(whole[: len(whole) // 2])
    write.stamp(path, day)
