"""Health, places, behaviour, calls and mails, work and money are found where they are, and nowhere else."""

from __future__ import annotations

import datetime as dt
import random
import string
import uuid
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pytest
from stdnum import luhn, verhoeff

from mapkeeper.model import LIKELY_FROM, Finding
from mapkeeper.plugin import Batch
from mapkeeper.rules import recognizes
from mapkeeper_classifiers.checks import CHECKS
from shipped import engine, standard_rules

ROWS = 40
Cell = object
Maker = Callable[[random.Random], Cell]

OURS = (
    "health.", "location.", "behaviour.", "online.", "communication.", "employment.", "education.", "financial.",
    "vehicle.", "contact.postal_code",
)  # fmt: skip


def found(columns: Mapping[str, Sequence[Cell]], asset: str) -> dict[str, list[Finding]]:
    """The findings of each column that are likely or certain."""
    run = engine().start(asset)
    run.add(Batch(pa.RecordBatch.from_pydict(dict(columns)), first=1))
    judged: dict[str, list[Finding]] = {name: [] for name in columns}
    for finding in run.finish().findings:
        if finding.confidence >= LIKELY_FROM:
            judged[finding.field].append(finding)
    return judged


def filled(makers: Mapping[str, Maker], seed: str) -> dict[str, list[Cell]]:
    """A column a maker, drawn by a seed of its own."""
    return {name: [maker(random.Random(f"{seed}{name}{row}")) for row in range(ROWS)] for name, maker in makers.items()}


# --- what personal columns hold -------------------------------------------------------------------------------------


def digits(count: int) -> Maker:
    return lambda rng: str(rng.randint(1, 9)) + "".join(rng.choices(string.digits, k=count - 1))


def letters(count: int) -> Maker:
    return lambda rng: "".join(rng.choices(string.ascii_uppercase, k=count))


def among(*texts: str) -> Maker:
    return lambda rng: rng.choice(texts)


def between(low: int, high: int) -> Maker:
    return lambda rng: rng.randint(low, high)


def decimal(low: float, high: float, places: int = 2) -> Maker:
    return lambda rng: round(rng.uniform(low, high), places)


def shaped(shape: str) -> Maker:
    """``#`` a digit, ``@`` a capital letter, ``x`` a hexadecimal digit."""
    signs = {"#": string.digits, "@": "ABCDEFGHJKLMNPRSTVWXYZ", "x": "0123456789abcdef"}
    return lambda rng: "".join(rng.choice(signs[sign]) if sign in signs else sign for sign in shape)


def day(rng: random.Random) -> Cell:
    return dt.date(1990, 1, 1) + dt.timedelta(days=rng.randrange(12_000))


def moment(rng: random.Random) -> Cell:
    return dt.datetime(2026, 1, 1) + dt.timedelta(seconds=rng.randrange(30_000_000))


def word(rng: random.Random) -> str:
    return "".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))


def sentence(rng: random.Random) -> Cell:
    return " ".join(word(rng) for _ in range(rng.randint(4, 12))).capitalize() + "."


def place(rng: random.Random) -> Cell:
    return word(rng).capitalize() + rng.choice(["", " Bay", "-sur-Mer", " am See"])


def icd10(rng: random.Random) -> Cell:
    return rng.choice(["E11", "I10", "J45", "M54", "F32", "K21", "N18", "C50"]) + rng.choice(["", ".0", ".9", ".12"])


def atc(rng: random.Random) -> Cell:
    return rng.choice(["A10BA", "C09AA", "N02BE", "J01CA", "R03AC"]) + f"{rng.randint(1, 60):02}"


def loinc(rng: random.Random) -> Cell:
    head = str(rng.randint(1000, 99999))
    return f"{head}-{luhn.calc_check_digit(head)}"


def snomed(rng: random.Random) -> Cell:
    head = f"{rng.randint(10_000, 99_999_999)}00"
    return int(head + verhoeff.calc_check_digit(head))


def imei(rng: random.Random) -> Cell:
    head = f"35{rng.randrange(10**12):012}"
    return head + luhn.calc_check_digit(head)


def iccid(rng: random.Random) -> Cell:
    head = f"8933{rng.randrange(10**14):014}"
    return head + luhn.calc_check_digit(head)


def pair(rng: random.Random) -> Cell:
    return f"{rng.uniform(40, 55):.5f}, {rng.uniform(-10, 30):.5f}"


def browser(rng: random.Random) -> Cell:
    system = rng.choice(["Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh; Intel Mac OS X 14_1"])
    return f"Mozilla/5.0 ({system}; rv:{rng.randint(90, 140)}.0) Gecko/20100101 Firefox/{rng.randint(90, 140)}.0"


def page(rng: random.Random) -> Cell:
    return f"https://www.{word(rng)}.example/{word(rng)}?{word(rng)}={rng.randint(1, 999)}"


def analytics(rng: random.Random) -> Cell:
    return f"GA1.2.{rng.randrange(10**8, 10**10)}.{rng.randrange(17 * 10**8, 18 * 10**8)}"


def device(rng: random.Random) -> Cell:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def domestic(rng: random.Random) -> Cell:
    return f"0{rng.randint(10, 99)} {rng.randint(100, 999)} {rng.randint(1000, 9999)}"


PRESSURE: Maker = lambda rng: f"{rng.randint(95, 160)}/{rng.randint(60, 100)}"  # noqa: E731
MONEY = decimal(1200, 9000)
FLAG: Maker = lambda rng: rng.random() < 0.5  # noqa: E731
LABELS = among("positive", "negative", "unclear", "see report")
JOBS = among("Sales Manager", "Analyst", "Head of Logistics", "Clerk II", "R&D Engineer")
BLOOD = among("A+", "B-", "0+", "AB+", "O-")

NAMED: Sequence[tuple[str, Maker, str]] = [
    ("health.record", icd10,
     "icd10 icd_code diagnosis_code DxCode cim10 code_cim codigo_cie icd10gm diagnoseschluessel"),
    ("health.record", loinc, "loinc loinc_code LoincNum codice_loinc"),
    ("health.record", snomed, "snomed snomedCode sctid codigo_snomed"),
    ("health.record", shaped("99###"), "cpt_code hcpcs"),
    ("health.record", shaped("1.2.840.######.#.##.##########"), "StudyInstanceUID sop_instance_uid"),
    ("health.record", BLOOD,
     "blood_type bloodGroup groupe_sanguin blutgruppe grupo_sanguineo gruppo_sanguigno bloedgroep"),
    ("health.record", PRESSURE,
     "blood_pressure tension_arterielle blutdruck presion_arterial pressao_arterial bloeddruk"),
    ("health.record", between(50, 180), "heart_rate systolicBP herzfrequenz frecuencia_cardiaca hartslag spo2"),
    ("health.record", LABELS, "lab_result covid_test_result laborbefund resultado_do_exame labuitslag esito_esame"),
    ("health.record", sentence,
     "diagnosis maladie krankheit enfermedad doenca malattia ziekte chief_complaint anamnesi"),
    ("health.record", sentence, "allergies allergie alergias vaccine impfung vacuna vaccinazione vaccinatie vacina"),
    ("health.record", day,
     "date_of_death dateDeces sterbedatum fecha_defuncion data_obito data_decesso vaccination_date"),
    ("health.prescription", atc, "atc atc_code codigo_atc"),
    ("health.prescription", shaped("#####-####-##"), "ndc ndc_code"),
    ("health.prescription", sentence, "medication medicament medikament medicamento farmaco medicijn drug_name"),
    ("health.mrn", shaped("P00#####"),
     "mrn patient_id numero_patient patientennummer id_paciente id_paziente patientnummer"),
    ("health.insurance_id", shaped("A#########"),
     "health_insurance_number kvnr versichertennummer numero_de_utente medicare_number"),
    ("health.disability", FLAG, "disability behinderung discapacidad disabilita deficiencia"),
    ("health.work", between(0, 30),
     "sick_days krankheitstage jours_arret_maladie dias_de_baja giorni_malattia ziektedagen"),
    ("health.genetic", among("AG", "CC", "GT", "AA"), "genotype genotyp genotipo"),
    ("location.precise", decimal(-85, 85, 6), "latitude lat gps_lat breitengrad latitud latitudine breedtegraad"),
    ("location.precise", decimal(-175, 175, 6), "longitude lng GpsLon laengengrad longitud longitudine lengtegraad"),
    ("location.precise", pair, "coordinates gps coordonnees_gps koordinaten coordenadas coordinate_gps coordinaten"),
    ("location.precise", shaped("u0#b#9cx"), "geohash"),
    ("location.precise", shaped("8FW4V75#+2X"), "plus_code olc"),
    ("location.coarse", place, "city ville stadt ciudad cidade citta woonplaats billing_city municipio"),
    ("location.coarse", among("FR", "DE", "CA", "BR"), "country country_code pays laendercode pais paese landcode"),
    ("contact.postal_code", digits(5), "zip plz code_postal codigo_postal cap_residenza"),
    ("contact.postal_code", between(10000, 99999), "zip_code postleitzahl"),
    ("contact.postal_code", shaped("####@@"), "postcode"),
    ("online.user_agent", browser, "user_agent http_user_agent csUserAgent agent_utilisateur what"),
    ("online.device_id", device, "device_id idfa advertisingId geraetekennung id_dispositivo identifiant_appareil"),
    ("online.device_id", shaped("xxxxxxxxxxxxxxxx"), "android_id deviceSerial"),
    ("online.device_id", imei, "imei"),
    ("online.device_id", iccid, "iccid"),
    ("online.device_id", shaped("20801##########"), "imsi"),
    ("online.cookie_id", analytics,
     "cookie_id visitor_id ga_client_id identifiant_visiteur besucher_id id_visitante thing"),
    ("online.cookie_id", shaped("EAIaIQobChMI@x@x@x@x@x@x@x"), "gclid fbclid msclkid"),
    ("online.browsing", page,
     "visited_url browsing_history url_visitee besuchte_seite pagina_visitada pagina_visitata"),
    ("online.browsing", sentence,
     "search_query suchbegriff terme_de_recherche termino_de_busqueda termo_de_pesquisa zoekterm"),
    ("behaviour.purchase", sentence, "purchase_history warenkorb panier carrito carrinho carrello winkelwagen"),
    ("communication.call_log", domestic,
     "caller_id called_number numero_appele anrufer llamante numero_chiamante beller"),
    ("communication.call_log", between(2, 3000),
     "call_duration duree_appel gespraechsdauer duracion_llamada durata_chiamata gespreksduur"),
    ("communication.content", sentence,
     "message_body contenu_du_message nachrichtentext texto_del_mensaje testo_del_messaggio berichttekst"),
    ("communication.metadata", shaped("<xxxx.####@mailer-#>"), "message_id in_reply_to"),
    ("communication.voice_recording", shaped("calls/2026/####.wav"),
     "call_recording grabacion_de_voz sprachaufnahme voicemail"),
    ("employment.employee_id", shaped("E#####"),
     "employee_id matricule personalnummer numero_empleado matricola personeelsnummer"),
    ("employment.job", JOBS, "job_title poste berufsbezeichnung puesto profissao mansione functietitel"),
    ("employment.job", between(0, 40),
     "overtime_hours ueberstunden heures_supplementaires horas_extra straordinari overuren"),
    ("employment.evaluation", between(1, 5),
     "performance_rating leistungsbeurteilung evaluacion_de_desempeno avaliacao_de_desempenho"),
    ("employment.discipline", sentence,
     "disciplinary_action abmahnung sanction_disciplinaire motivo_de_despido ontslagreden"),
    ("education.record", among("BSc", "MSc", "PhD", "none"),
     "education_level niveau_etudes schulabschluss nivel_de_estudios titolo_di_studio opleiding"),
    ("financial.salary", MONEY,
     "salary base_salary salaire gehalt sueldo salario stipendio salaris pension annual_income"),
    ("financial.transaction", MONEY,
     "account_balance amount_paid solde kontostand saldo valor_pago importo_pagato banksaldo"),
    ("financial.credit", between(300, 850),
     "credit_score bonitaetsscore score_de_credit puntaje_crediticio kredietscore total_debt"),
    ("vehicle.plate_vin", shaped("@@-###-@@"),
     "license_plate immatriculation kennzeichen placa_do_veiculo targa kenteken"),
]  # fmt: skip


@pytest.mark.parametrize(("category", "maker", "names"), NAMED, ids=[f"{c}-{n.split()[0]}" for c, _, n in NAMED])
def test_a_column_is_found_by_its_name_and_what_it_holds(category: str, maker: Maker, names: str) -> None:
    judged = found(filled(dict.fromkeys(names.split(), maker), category), "records")

    missed = {
        name: [f.category for f in got] for name, got in judged.items() if category not in {f.category for f in got}
    }
    assert missed == {}


def test_a_name_alone_does_not_make_what_does_not_fit() -> None:
    names = {name: among("-", "?", "!!") for _, _, names in NAMED for name in names.split()}

    assert not any(found(filled(names, "unfit"), "records").values())


TABLES: Sequence[tuple[str, Mapping[str, tuple[Maker, str]]]] = [
    ("patients.diagnoses", {"code": (icd10, "health.record"), "description": (sentence, "health.record")}),
    ("conditions", {
        "patient": (device, "health.mrn"), "encounter": (device, "health.mrn"), "code": (snomed, "health.record"),
    }),
    ("cdr", {
        "src": (domestic, "communication.call_log"), "dst": (domestic, "communication.call_log"),
        "duration": (between(2, 900), "communication.call_log"), "billsec": (between(2, 900), "communication.call_log"),
    }),
    ("access_log", {"client_ip": (shaped("203.0.113.##"), "online.ip"), "referer": (page, "online.browsing")}),
    ("payroll", {"employee_id": (digits(6), "employment.employee_id"), "bonus": (MONEY, "financial.salary")}),
    ("transactions", {"iban": (shaped("FR76################"), ""), "amount": (MONEY, "financial.transaction")}),
    ("students", {"student_name": (place, ""), "grade": (among("A", "B+", "C"), "education.record")}),
    ("addresses", {"street": (place, ""), "state": (among("CA", "NY", "TX"), "location.coarse")}),
    ("variants", {"chrom": (digits(1), ""), "rsid": (shaped("rs######"), "health.genetic"),
                  "ref": (among(*"ACGT"), "health.genetic"), "alt": (among(*"ACGT"), "health.genetic")}),
    ("fleet_vehicles", {"vin": (shaped("WVWZZZ1JZ3W######"), "vehicle.plate_vin"),
                        "registration": (shaped("@@-###-@@"), "vehicle.plate_vin")}),
    ("chat", {"sender": (place, ""), "message": (sentence, "communication.content")}),
]  # fmt: skip


@pytest.mark.parametrize(("asset", "columns"), TABLES, ids=[asset for asset, _ in TABLES])
def test_a_vague_name_speaks_where_its_table_does(asset: str, columns: Mapping[str, tuple[Maker, str]]) -> None:
    judged = found(filled({name: maker for name, (maker, _) in columns.items()}, asset), asset)

    for name, (_, category) in columns.items():
        assert not category or category in {finding.category for finding in judged[name]}, name


# --- lines of text ----------------------------------------------------------------------------------------------------

LINES: Sequence[tuple[str, str]] = [
    ("health.record", "DG1|1|I10|E11.9^Type 2 diabetes mellitus||20260301|A"),
    ("health.record", "coded as ICD-10: J45.901 by the ward"),
    ("health.mrn", "PID|1||00412345^^^HOSP^MR||DOE^JANE^A||19700101|F"),
    ("health.genetic", "chr7\t117559590\trs113993960\tCTT\tC\t50\tPASS\tDP=100\tGT\t0/1"),
    ("location.precise", "GET /near?lat=48.85837&lng=2.29448 200"),
    ("location.precise", "taken at 48°51'29.9\"N 2°17'40.2\"E in May"),
    ("location.precise", '{"type": "Point", "coordinates": [2.29448, 48.85837]}'),
    ("online.cookie_id", "Cookie: theme=dark; _ga=GA1.2.1234567890.1700000000"),
    ("online.cookie_id", "GET /landing?gclid=EAIaIQobChMI0f7aExample HTTP/1.1"),
    ("online.device_id", "push failed device_id=6D92078A-8246-4BA4-AE5B-76104861E7DC retry in 3 s"),
    ("online.user_agent", '"GET /" 200 "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"'),
    ("communication.metadata", "postfix/qmgr[88]: 4F1A2: from=<alice@example.com>, size=1042, nrcpt=1 (queue active)"),
    ("communication.metadata", "From: Alice Example <alice@example.com>"),
    ("communication.call_log", "INVITE sip:alice@pbx.example.com SIP/2.0"),
]  # fmt: skip


@pytest.mark.parametrize(("category", "line"), LINES, ids=[f"{c}-{n}" for n, (c, _) in enumerate(LINES)])
def test_a_line_of_text_is_found_without_a_name(category: str, line: str) -> None:
    told = [f"{line} {'.' * (number % 3)}".strip() for number in range(12)]

    assert category in {finding.category for finding in found({"line": told}, "log")["line"]}


# --- what only looks alike --------------------------------------------------------------------------------------------


def product(rng: random.Random) -> Cell:
    return f"{word(rng).capitalize()} {rng.choice(['Chair', 'Lamp', 'Pump', 'Cable'])} {rng.randint(1, 90)}"


def host(rng: random.Random) -> Cell:
    return f"{rng.choice(['web', 'db', 'cache'])}-{rng.randint(1, 99):02}.{word(rng)}.internal"


def version(rng: random.Random) -> Cell:
    return f"{rng.randint(0, 20)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"


def vector(rng: random.Random) -> Cell:
    return "[" + ", ".join(f"{rng.uniform(-1, 1):.5f}" for _ in range(6)) + "]"


DECOYS: Mapping[str, Maker] = {
    "order_number": shaped("SO-######"), "order_no": between(100000, 999999), "invoice_ref": shaped("INV-2026-#####"),
    "sku": shaped("A##"), "item_code": shaped("@##"), "part_number": shaped("@##@@##"), "model": shaped("@##-####"),
    "product_code": shaped("####-#"), "batch_no": shaped("#####-###-##"), "gtin": digits(13),
    "lot": shaped("####-####-##"), "article": shaped("####@@"), "bin": shaped("@#@ #@#"), "rack": shaped("@@# #@@"),
    "slot": shaped("@#-###"), "app_version": version, "firmware": shaped("@##@@##"), "release": shaped("v#.##.#"),
    "build": digits(6), "major": between(0, 20), "minor": between(0, 30), "price": decimal(1, 900),
    "unit_price": decimal(1, 90), "total": decimal(1, 2000), "order_total": decimal(1, 2000),
    "subtotal": decimal(1, 2000), "tax": decimal(0, 90), "discount": decimal(0, 1), "amount": between(1, 500),
    "ratio": decimal(0, 1, 6), "score": decimal(0, 100, 3), "margin": decimal(-1, 1, 5), "load": decimal(0, 30, 4),
    "pair": lambda rng: f"{rng.random():.6f}, {rng.random():.6f}", "embedding": vector, "bbox": vector,
    "x": decimal(0, 1920, 1), "y": decimal(0, 1080, 1), "temperature": decimal(-20, 40, 1), "weight": decimal(0, 90),
    "height": between(1, 300), "width": between(1, 300), "duration": between(1, 90000), "latency_ms": decimal(0, 90, 3),
    "created_at": moment, "epoch": between(1_700_000_000, 1_790_000_000), "day": day, "start_date": day,
    "end_date": day, "millis": between(1_700_000_000_000, 1_790_000_000_000),
    "status_code": among("200", "301", "404", "500"), "http_status": between(200, 599), "exit_code": between(0, 255),
    "state": among("running", "queued", "failed"), "status": among("open", "closed"), "severity": among("low", "high"),
    "level": among("INFO", "WARN"), "hostname": host, "server": host,
    "path": lambda rng: f"/var/{word(rng)}/{word(rng)}.log", "region": shaped("eu-west-#"), "trace": shaped("x" * 32),
    "span": shaped("x" * 16), "sha": shaped("x" * 40), "etag": shaped("x" * 32), "hex": shaped("xxxxxxxx"),
    "uuid": device, "request": device, "product_name": product, "title": product, "description": sentence,
    "category": word, "five": between(10000, 99999), "nine": digits(9), "fifteen": digits(15), "eighteen": digits(18),
    "caller": shaped("main.go:##"), "job_name": among("nightly-build", "cleanup", "reindex"),
    "procedure": among("sp_refresh", "sp_purge"), "condition": among("new", "used"),
    "treatment": among("A", "B", "control"), "variant": among("red", "blue"),
    "allergens": among("gluten", "nuts", "milk"), "recipe": sentence, "recording": shaped("track-##"),
    "code": shaped("@##"), "operation": among("insert", "delete"), "reason": among("expired", "manual"),
    "rating": between(1, 5), "plate": among("steel", "brass"), "registration": among("open", "closed"),
    "position": between(1, 50), "grade": shaped("S###"), "degree": between(0, 360), "service": among("dns", "ntp"),
    "role": among("primary", "replica"), "mutation": among("addItem", "setPrice"), "message": sentence,
    "subject": among("mathematics", "history"), "text": sentence, "body": sentence, "land": among("arable", "forest"),
    "lieu": digits(3), "gene": digits(2), "pulse": between(1, 4), "dose": decimal(0, 3), "interests": decimal(0, 3),
    "long": digits(12),
}  # fmt: skip


@pytest.mark.parametrize("asset", ["products", "things", "app.metrics"])
def test_what_only_looks_alike_is_not_taken_for_personal_data(asset: str) -> None:
    columns = filled(DECOYS, asset)
    tables = [dict(list(columns.items())[start::4]) for start in range(4)]
    alarms = [
        (finding.field, finding.category, finding.confidence, finding.why)
        for table in tables
        for findings in found(table, asset).values()
        for finding in findings
        if finding.category.startswith(OURS)
    ]

    assert alarms == []


@pytest.mark.parametrize("asset", ["orders", "products"])
def test_what_an_order_comes_to_is_no_money_of_a_person(asset: str) -> None:
    names = "total order_total subtotal grand_total unit_price list_price total_price price cost freight shipping_cost"
    judged = found(filled(dict.fromkeys(names.split(), decimal(1, 900)), asset), asset)

    assert not any(finding.category.startswith("financial.") for got in judged.values() for finding in got)


def test_a_constant_referrer_is_not_certain() -> None:
    columns = {"client_ip": [f"203.0.113.{n}" for n in range(100)], "referer": ["https://www.example.com/"] * 100}
    levels = [
        finding.level for finding in found(columns, "access_log")["referer"] if finding.category == "online.browsing"
    ]

    assert "certain" not in levels


def test_lines_of_a_system_log_hold_no_codes_of_health_or_places() -> None:
    rng = random.Random(4)
    lines = [
        rng.choice([
            f"kernel: [{rng.uniform(1, 9999):.6f}] usb {rng.randint(1, 9)}-{rng.randint(1, 9)}: reset B12, port A15",
            f"load average: {rng.random():.4f}, {rng.random():.4f}, {rng.random():.4f}",
            f"took {rng.uniform(10, 89):.5f}, {rng.uniform(0, 9):.5f} s; lat={rng.random():.3f} max={rng.random():.3f}",
            f"job {rng.randint(1000, 9999)}-{rng.randint(0, 9)} done, code E{rng.randint(10, 99)}.{rng.randint(0, 9)}",
            f"build A10BA{rng.randint(10, 99)} of v{rng.randint(1, 9)}.{rng.randint(0, 9)} ok, diagnostics A12 off",
            f"From: node {rng.randint(1, 99)} To: node {rng.randint(1, 99)} seq {rng.randint(1, 9999)}",
            f"block {rng.randint(10**14, 10**15 - 1)} replicated, checksum {rng.getrandbits(64):016x}",
        ])
        for _ in range(400)
    ]  # fmt: skip
    judged = found({"line": lines}, "syslog")["line"]

    assert [finding.category for finding in judged if finding.category.startswith(OURS)] == []


# --- codes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        ("icd10", ["A00.0", "e11", "Z3A", "U07.1", "Y98"], ["A12", "F49", "Z24", "1A0", "", "AB1"]),
        ("loinc", ["4548-4", "2345-7", "718-7"], ["4548-5", "4548", "0-0", ""]),
        ("snomed", ["73211009", "195967001", "900000000000207008"], ["73211008", "7321", "73211109", ""]),
        ("iccid", ["8933103012345678903", "8944 5001 0219 8304 826"], ["8933103012345678904", "12", ""]),
        ("imsi", ["310150123456789", "208011234567890"], ["999990123456789", "000000000000000", "12", ""]),
        ("latitude_longitude", ["48.85, 2.35", "[151.2, -33.8]", "1 2 3"], ["91, 181", "0,0", "48.85", "1,2,3,4", ""]),
    ],
)
def test_a_code_is_held_against_its_own_rules(check: str, right: Sequence[str], wrong: Sequence[str]) -> None:
    assert [text for text in right if not CHECKS[check](text)] == []
    assert [text for text in wrong if CHECKS[check](text)] == []


def test_postal_codes_of_many_countries_are_told_apart() -> None:
    national = {
        rule.id: rule
        for rule in standard_rules()
        if rule.id.startswith("standard/contact/postal-code-") and rule.countries
    }
    examples = {"gb": "SW1A 1AA", "ca": "H2X 1Y4", "nl": "1012 JS", "ie": "D02 X285", "pl": "00-950", "jp": "100-0001"}

    assert len({country for rule in national.values() for country in rule.countries}) >= 50
    for country, text in examples.items():
        others = {"gb", "ca", "nl", "ie"} - {country}
        assert recognizes(national[f"standard/contact/postal-code-{country}"], text)
        assert not any(recognizes(national[f"standard/contact/postal-code-{other}"], text) for other in others)
