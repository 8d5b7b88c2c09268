"""What is believed of a field, and why. Everything here is made up."""

import random

import pyarrow as pa
import pytest

from mapkeeper.classify import Engine
from mapkeeper.model import CERTAIN_FROM, LIKELY_FROM, Finding, SourceRole
from mapkeeper.plugin import Batch
from mapkeeper_classifiers.standard import rules

ENGINE = Engine(rules())
DICE = random.Random(7)


def judge(asset: str, domains: tuple[str, ...] = (), /, **columns: object) -> dict[tuple[str, str], Finding]:
    run = ENGINE.start(asset, client_domains=domains)
    run.add(Batch(pa.RecordBatch.from_pydict(columns), first=1))
    return {(finding.field, finding.category): finding for finding in run.finish().findings}


def confidence(found: dict[tuple[str, str], Finding], field: str, category: str) -> float:
    return found[field, category].confidence if (field, category) in found else 0.0


def believed(found: dict[tuple[str, str], Finding]) -> set[tuple[str, str]]:
    return {key for key, finding in found.items() if finding.confidence >= LIKELY_FROM}


def digits(count: int) -> str:
    return "".join(DICE.choice("0123456789") for _ in range(count))


def luhn(body: str) -> str:
    total = 0
    for at, char in enumerate(reversed(body)):
        number = int(char) * (2 if at % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return body + str(-total % 10)


GIVEN = ["Alice", "Bruno", "Chloé", "Dmitri", "Erin", "Farid", "Grace", "Hugo", "Ines", "Jörg"]
FAMILY = ["Martin", "O'Neil", "Müller", "Da Silva", "Nowak", "Rossi", "Kim", "Dupont", "Berg", "Smith-Hall"]
UNHEARD = ["Zorvo", "Quintab", "Belmask", "Tirval", "Ostrim", "Myxol", "Pandrek", "Vuldo", "Krimb", "Yestal"]
"""Names that no list knows."""
CITIES = ["Lyon", "Turin", "Nürnberg", "Leeds", "Québec", "Porto", "Gent", "Graz", "Cork", "Basel"]
MAILS = [
    f"{given.lower().encode('ascii', 'ignore').decode()}{number}@globex{number}.com"
    for number, given in enumerate(GIVEN)
]
PEOPLE = {
    "CustomerId": list(range(1, 11)),
    "FirstName": GIVEN,
    "last_name": FAMILY,
    "City": CITIES,
    "PostalCode": ["69001", "10121", "90402", "LS1 4AP", "G1R 4P5", "4000-001", "9000", "8010", "T12 X70Y", "4051"],
    "BirthDate": [f"19{50 + number}-0{1 + number % 9}-1{number}" for number in range(10)],
    "Email": MAILS,
    "mobile_phone": [f"+1 202-555-01{10 + number}" for number in range(10)],
    "gender": ["M", "F"] * 5,
}


def test_a_table_of_customers_is_understood() -> None:
    found = judge("public.customers", **PEOPLE)

    for field, category in [
        ("FirstName", "identity.name"),
        ("last_name", "identity.name"),
        ("City", "location.coarse"),
        ("PostalCode", "contact.postal_code"),
        ("BirthDate", "identity.date_of_birth"),
        ("Email", "contact.email"),
        ("mobile_phone", "contact.phone"),
        ("gender", "identity.gender"),
    ]:
        assert confidence(found, field, category) >= CERTAIN_FROM, field
    assert all(finding.subject == "customer" for finding in found.values())
    assert all(finding.source_role is SourceRole.APPLICATION for finding in found.values())


def test_a_finding_says_why_in_words() -> None:
    found = judge("customers", email=[*MAILS, "nobody"])["email", "contact.email"]

    assert "name 'email'" in found.why
    assert "10 of 11 values fit" in found.why
    assert any(why.startswith("check ") and "chance would give" in why for why in found.why)


@pytest.mark.parametrize("asset", ["products", "Artist", "genres", "cities", "departments", "media_type"])
def test_the_name_of_a_thing_is_not_a_persons(asset: str) -> None:
    assert not believed(judge(asset, id=list(range(10)), name=CITIES, description=[None] * 10))


def test_the_name_beside_what_only_people_have_is_a_persons() -> None:
    assert confidence(judge("t17", name=UNHEARD, email=MAILS), "name", "identity.name") >= LIKELY_FROM
    assert confidence(judge("employees", name=UNHEARD), "name", "identity.name") >= LIKELY_FROM
    assert confidence(judge("t17", name=UNHEARD), "name", "identity.name") < LIKELY_FROM


@pytest.mark.parametrize("field", ["email_count", "email_verified", "is_email", "email_type"])
def test_what_is_about_an_address_is_no_address(field: str) -> None:
    assert not believed(judge("users", **{field: [1, 0, 1, 1, 0, 1, 0, 0, 1, 0]}))


def test_values_that_do_not_fit_contradict_the_name() -> None:
    assert not believed(judge("t", email=["yes", "no"] * 20))


def test_an_empty_field_is_possible_by_its_name_only() -> None:
    found = judge("customers", email=pa.array([None] * 9, pa.string()))["email", "contact.email"]

    assert (found.filled, found.hits) == (0, 0)
    assert 0 < found.confidence < LIKELY_FROM


def test_an_address_in_every_fiftieth_note_is_a_finding_of_that_share() -> None:
    notes = [f"the parcel came back again, see shelf {number}" for number in range(500)]
    notes[::50] = [f"she wants to be reached at {mail} from now on" for mail in MAILS]
    found = judge("calls", notes=notes)["notes", "contact.email"]

    assert found.confidence >= CERTAIN_FROM
    assert (found.hits, found.filled, found.distinct) == (10, 500, 10)


def test_numbers_that_pass_a_check_as_often_as_chance_are_no_cards() -> None:
    orders = [f"4{digits(15)}" for _ in range(2000)]

    assert not believed(judge("orders", order_ref=orders))
    assert not believed(judge("app.log", text=[f"order {number} was packed and sent today" for number in orders]))


def test_cards_are_cards_under_any_name() -> None:
    cards = [luhn(f"4{digits(14)}") for _ in range(300)]

    assert confidence(judge("t", ref=cards), "ref", "financial.card") >= CERTAIN_FROM
    assert not [key for key in believed(judge("t", ref=cards)) if key[1] != "financial.card"]


def test_one_card_among_many_numbers_of_a_text_needs_a_word_beside_it() -> None:
    lines = [f"packed order {digits(16)} for the truck of the day" for _ in range(400)]

    assert not believed(judge("notes", text=[*lines, f"unit {luhn('4' + digits(14))} has come"]))


def test_a_key_that_counts_upwards_is_no_number_of_a_person() -> None:
    keys = list(range(100_000_000, 100_000_000 + 3000))

    assert not believed(judge("t", seq=keys))


def test_only_loopback_addresses_are_not_a_finding() -> None:
    assert not believed(judge("t", client_ip=["127.0.0.1"] * 50))
    assert (
        confidence(
            judge("t", client_ip=["127.0.0.1", "10.1.2.3", "10.1.2.4", "10.9.2.3"] * 5), "client_ip", "online.ip"
        )
        >= LIKELY_FROM
    )


def test_versions_are_not_addresses() -> None:
    versions = [
        f"{DICE.randint(1, 9)}.{DICE.randint(0, 20)}.{DICE.randint(0, 99)}.{DICE.randint(0, 250)}" for _ in range(200)
    ]
    lines = [f"agent started, version {version}, on time" for version in versions]
    agents = [f"GET / by Browser/{version} (desk)" for version in versions]

    assert not believed(judge("hosts", version=versions))
    assert not believed(judge("app.log", text=lines))
    assert ("text", "online.ip") not in believed(judge("app.log", text=agents))


def test_the_fields_of_a_log_that_are_about_nobody_are_no_findings() -> None:
    count = 300
    found = judge(
        "app.log",
        time=[f"2026-11-22T10:{number % 60:02}:{number % 59:02}.{number:03}Z" for number in range(count)],
        epoch=[1_763_800_000 + 7 * number for number in range(count)],
        pid=[DICE.randint(300, 65_000) for _ in range(count)],
        status=[DICE.choice([200, 301, 404, 500]) for _ in range(count)],
        port=[DICE.randint(1024, 65_535) for _ in range(count)],
        bytes=[DICE.randint(100, 9_999_999) for _ in range(count)],
        request_id=[f"{digits(8)}-{digits(4)}-4{digits(3)}-8{digits(3)}-{digits(12)}" for _ in range(count)],
        level=[DICE.choice(["INFO", "WARN"]) for _ in range(count)],
        build=[f"{digits(1)}.{digits(1)}.{digits(2)}.{digits(2)}" for _ in range(count)],
    )

    assert not believed(found)


def test_a_column_of_one_kind_has_one_category() -> None:
    found = judge("customers", phone=[f"+1 202-555-0{100 + number}" for number in range(90)])

    assert believed(found) == {("phone", "contact.phone")}


def test_a_closed_list_speaks_without_a_name_only_when_it_explains_everything() -> None:
    words = ["male", "female"] * 40

    assert confidence(judge("t", c7=words), "c7", "identity.gender") >= LIKELY_FROM
    assert confidence(judge("t", c7=["m", "f"] * 40), "c7", "identity.gender") < LIKELY_FROM
    assert confidence(judge("t", c7=[*words, *["blue"] * 20]), "c7", "identity.gender") < LIKELY_FROM


def test_the_clients_own_domain_makes_an_employee() -> None:
    mails = [f"{given}@eu.globex.example" for given in ("ada", "bob", "cyd", "dan")]

    assert judge("t", ("globex.example",), mail=mails)["mail", "contact.email"].subject == "employee"
    assert judge("t", ("example",), mail=mails)["mail", "contact.email"].subject == "employee"
    assert judge("t", ("lobex.example",), mail=mails)["mail", "contact.email"].subject is None


@pytest.mark.parametrize(
    ("asset", "role"),
    [
        ("access.log", SourceRole.AUDIT_LOG),
        ("/var/log/auth.log.*", SourceRole.AUDIT_LOG),
        ("app_audit", SourceRole.AUDIT_LOG),
        ("db_backup.customers", SourceRole.BACKUP),
        ("mail/inbox", SourceRole.MESSAGE),
        ("customers", SourceRole.APPLICATION),
        ("metrics", SourceRole.TELEMETRY),
    ],
)
def test_the_role_of_a_source_is_guessed_from_its_name(asset: str, role: SourceRole) -> None:
    assert judge(asset, email=MAILS)["email", "contact.email"].source_role is role


@pytest.mark.parametrize(
    ("asset", "field", "subject"),
    [
        ("patients", "email", "patient"),
        ("t", "employee_email", "employee"),
        ("staff", "email", "employee"),
        ("suppliers", "email", "supplier"),
        ("students", "email", "student"),
        ("t", "email", None),
    ],
)
def test_the_subject_is_guessed_from_the_words_of_table_and_field(asset: str, field: str, subject: str | None) -> None:
    assert judge(asset, **{field: MAILS})[field, "contact.email"].subject == subject


def test_what_the_gdpr_sets_apart_is_marked() -> None:
    found = judge("patients", diagnosis=["Asthma", "Type 2 diabetes", "Migraine"] * 10, email=MAILS * 3)

    assert found["email", "contact.email"].special is None
    assert {finding.special for (field, _), finding in found.items() if field == "diagnosis"} == {"art9"}


def test_a_list_of_countries_is_nobodys() -> None:
    assert not believed(
        judge("countries", country_id=list(range(10)), country=["France", "Chile", "Peru", "Japan", "Kenya"] * 2)
    )


def test_the_stores_own_description_of_a_field_speaks_too() -> None:
    schema = pa.schema([pa.field("c3", pa.string(), metadata={"comment": "first name"})])
    run = ENGINE.start("customers")
    run.add(Batch(pa.RecordBatch.from_arrays([pa.array(GIVEN)], schema=schema)))

    assert [finding.category for finding in run.finish().findings] == ["identity.name"]


def test_findings_come_in_the_order_of_fields_the_most_certain_first() -> None:
    run = ENGINE.start("customers")
    run.add(
        Batch(
            pa.record_batch(
                {"note": [f"{mail} at 203.0.113.{number}" for number, mail in enumerate(MAILS)], "city": CITIES}
            )
        )
    )
    findings = run.finish().findings

    assert [finding.field for finding in findings] == sorted(
        (finding.field for finding in findings), key=["note", "city"].index
    )
    notes = [finding.confidence for finding in findings if finding.field == "note"]
    assert len(notes) >= 2
    assert notes == sorted(notes, reverse=True)


@pytest.mark.parametrize(
    "field",
    [
        "bucketName",
        "function_name",
        "host_name_label",
        "Records.requestParameters.policyName",
        "role.name",
        "web_address",
    ],
)
def test_a_vague_word_behind_a_strange_one_says_nothing(field: str) -> None:
    words = ["blue lake", "green lake", "old mill", "high road", "long pier"] * 4

    assert not believed(judge("customers", **{field: words, "email": [*MAILS, *MAILS]})) - {("email", "contact.email")}


def test_neighbours_are_the_fields_of_the_same_part_of_a_document() -> None:
    near = {"events.actor.name": UNHEARD, "events.actor.email": MAILS}
    far = {"events.actor.name": UNHEARD, "events.target.email": MAILS}

    assert confidence(judge("t", **near), "events.actor.name", "identity.name") >= LIKELY_FROM
    assert confidence(judge("t", **far), "events.actor.name", "identity.name") < LIKELY_FROM


def test_a_check_that_most_values_pass_is_no_proof() -> None:
    assert not believed(judge("t", sent=[f"{137_431_937 + 97 * DICE.randint(0, 9_000)}" for _ in range(500)]))


def test_batches_with_different_columns_make_one_judgement() -> None:
    run = ENGINE.start("events")
    for columns in ({"a": ["x"]}, {"email": MAILS[:5]}, {"a": [1, 2]}, {"email": MAILS[5:], "b": [None] * 5}):
        run.add(Batch(pa.RecordBatch.from_pydict(columns)))
    judged = run.finish()

    assert [(field.name, field.type) for field in judged.fields] == [
        ("a", "string"),
        ("email", "string"),
        ("b", "null"),
    ]
    assert [(finding.field, finding.rows, finding.hits) for finding in judged.findings] == [("email", 10, 10)]


def test_of_very_many_values_a_sample_is_checked_and_the_rest_taken_to_be_like_it() -> None:
    cards = [luhn(f"4{digits(14)}") if at % 4 else f"4{digits(15)}" for at in range(12_000)]
    found = judge("t", ref=cards)["ref", "financial.card"]

    assert found.hits == 12_000
    assert found.valid is not None
    assert abs(found.valid / found.hits - 0.775) < 0.05  # three quarters, and a tenth of the last


# --- one piece of evidence at a time ----------------------------------------------------------------------------------


def test_a_private_key_in_a_field_of_texts_is_no_rival_of_the_texts() -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{''.join(DICE.choices('ABCdef012+/', k=400))}\n-----END PRIVATE KEY-----"

    for field in ("text", "notes", "message_body"):
        found = judge("tickets", **{field: [key, *["see the shelf on the left"] * 30]})
        assert confidence(found, field, "credential.secret") >= CERTAIN_FROM, field


def test_one_token_that_bears_its_makers_mark_is_certain() -> None:
    token = "ghp_" + "".join(DICE.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=36))

    assert confidence(judge("t", c1=[token, *["x"] * 30]), "c1", "credential.secret") >= CERTAIN_FROM


def test_first_names_beside_last_names_speak_for_each_other() -> None:
    together = judge(
        "t", c1=GIVEN, c2=["Martin", "Weber", "Müller", "Da Silva", "Nowak", "Rossi", "Kim", "Dupont", *FAMILY[8:]]
    )

    assert "beside a field that holds the other half" in together["c1", "identity.name"].why
    assert "beside a field that holds the other half" not in judge("t", c1=GIVEN)["c1", "identity.name"].why


def test_names_that_the_lists_know_make_a_person_of_a_vague_name() -> None:
    known = judge("t", name=[f"{given} {family}" for given in GIVEN for family in ("Weber", "Martin", "Rossi")])
    things = judge(
        "t", name=[f"{word} {number}" for word in ("Bolt", "Nut", "Screw") for number in ("long", "short") * 6]
    )

    assert confidence(known, "name", "identity.name") >= LIKELY_FROM
    assert ("name", "identity.name") not in believed(things)


def test_the_latitude_needs_the_longitude() -> None:
    lat, lng = ([round(DICE.uniform(-80, 80), 5) for _ in range(40)] for _ in range(2))

    assert confidence(judge("t", lat=lat, lng=lng), "lat", "location.precise") >= CERTAIN_FROM
    assert confidence(judge("t", lat=lat), "lat", "location.precise") < 0.7


def test_one_value_in_all_cells_makes_a_name_doubtful() -> None:
    assert confidence(judge("t", last_name=["Weber"] * 50), "last_name", "identity.name") < 0.95
    assert confidence(judge("t", last_name=FAMILY * 5), "last_name", "identity.name") >= 0.95


def test_cells_that_say_that_there_is_nothing_do_not_count() -> None:
    found = judge("t", c1=[*["married", "single", "widowed", "divorced"] * 10, *["-", "n/a", "unknown", None] * 5])

    assert confidence(found, "c1", "identity.marital_status") >= LIKELY_FROM
    assert found["c1", "identity.marital_status"].hits == 40


def test_a_list_of_what_there_is_is_nobodys() -> None:
    faiths = [
        "Buddhist", "Catholic", "Hindu", "Jewish", "Lutheran", "Methodist", "Muslim", "Orthodox", "Protestant", "Sikh",
        "Anglican", "Baptist", "Mormon", "Shinto", "Taoist", "Zoroastrian", "Quaker", "Atheist", "Agnostic", "Sunni",
        "Shia", "Pentecostal", "Presbyterian", "Evangelical", "Jain", "Coptic", "Mennonite", "Adventist", "Calvinist",
        "Bahai", "Wiccan", "Pagan", "Rastafarian", "Druze", "Amish",
    ]  # fmt: skip

    assert ("c1", "special.religion") not in believed(judge("t", c1=faiths))
    assert ("c1", "special.religion") in believed(judge("t", c1=[DICE.choice(faiths) for _ in range(300)]))


def test_a_vague_name_whose_values_fit_by_accident_says_little() -> None:
    assert not believed(judge("t", eta=[round(DICE.uniform(1, 80), 1) for _ in range(60)]))


def test_addresses_are_told_for_what_they_are() -> None:
    private = judge("t", client_ip=[f"192.168.1.{last}" for last in range(1, 60)])["client_ip", "online.ip"]
    kept = judge("t", client_ip=[f"203.0.113.{last}" for last in range(1, 60)])["client_ip", "online.ip"]
    mail = judge("t", email=[f"person{number}@example.com" for number in range(60)])["email", "contact.email"]

    assert "addresses of private networks" in private.why
    assert "addresses kept for documentation" in kept.why
    assert "at domains kept for examples" in mail.why
    assert not believed(judge("t", email=["user@example.com"] * 40))


def test_versions_of_four_numbers_are_no_addresses_under_a_name_that_says_nothing() -> None:
    versions = [
        f"{DICE.randint(0, 9)}.{DICE.randint(0, 20)}.{DICE.randint(0, 9)}.{DICE.randint(0, 250)}" for _ in range(200)
    ]

    assert not believed(judge("t", c4=versions))


def test_nothing_but_a_name_is_never_as_sure_as_values_that_speak_too() -> None:
    assert confidence(judge("customers", title=UNHEARD, email=MAILS), "title", "employment.job") < CERTAIN_FROM
    assert (
        confidence(judge("t", street=[f"Lange Gasse {n}" for n in range(20)]), "street", "contact.postal_address")
        <= 0.97
    )


@pytest.mark.parametrize(
    ("asset", "subject"),
    [
        ("hr/2026/customers.csv", "customer"),
        ("exports/personal/gehalt_2026.xlsx#Tabelle1", "employee"),
        ("rh/paie.csv", "employee"),
        ("pacientes", "patient"),
        ("bewerbungen/eingang.csv", "applicant"),
        ("backup/leveranciers.csv.gz", "supplier"),
        ("utenti", "user"),
        ("alunos.csv", "student"),
    ],
)
def test_the_subject_is_told_by_the_last_part_of_a_path_that_knows(asset: str, subject: str) -> None:
    assert judge(asset, c1=MAILS)["c1", "contact.email"].subject == subject


def test_the_role_of_a_source_shows_in_its_fields_where_its_name_is_silent() -> None:
    mails = judge("x7", sender=MAILS, recipient=MAILS, subject=["hello"] * 10, body=["see you"] * 10)
    deeds = judge("x7", actor=MAILS, action=["open"] * 10, outcome=["done"] * 10)

    assert mails["sender", "contact.email"].source_role is SourceRole.MESSAGE
    assert deeds["actor", "contact.email"].source_role is SourceRole.AUDIT_LOG
