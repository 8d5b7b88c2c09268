"""Tables of people are understood by the names of their fields, in seven languages, as schemas shorten them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pytest

from mapkeeper.model import LIKELY_FROM
from mapkeeper.plugin import Batch
from shipped import engine

ROWS = 30

LANGUAGES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "English": {
        "asset": ["customers", "staff", "patients"],
        "first": ["first_name", "fname", "GivenName"],
        "last": ["last_name", "lname", "Surname"],
        "title": ["salutation", "courtesy_title", "title"],
        "born": ["date_of_birth", "dob", "dateofbirth"],
        "birthplace": ["place_of_birth", "birth_city", "placeofbirth"],
        "sex": ["gender", "sex", "GenderCode"],
        "marital": ["marital_status", "MaritalStatus", "civil_status"],
        "nationality": ["nationality", "citizenship", "country_of_citizenship"],
        "email": ["email", "e_mail_addr", "EmailAddress"],
        "phone": ["phone_no", "mobile_nbr", "HomePhone"],
        "street": ["street", "addr_line_1", "StreetAddress"],
        "passport": ["passport_no", "PassportNumber", "passport_num"],
        "national": ["ssn", "national_id", "SocialSecurityNumber"],
        "customer": ["customer_no", "cust_id", "MemberNumber"],
        "contact": ["emergency_contact", "next_of_kin", "EmergencyContactName"],
    },
    "French": {
        "asset": ["clients", "salaries", "adherents"],
        "first": ["prenom", "Prénom", "prenom_cli"],
        "last": ["nom_famille", "nom_de_famille", "nom_cli"],
        "title": ["civilite", "civ", "Civilité"],
        "born": ["date_naissance", "dt_naiss", "DateDeNaissance"],
        "birthplace": ["lieu_naissance", "lieu_naiss", "VilleDeNaissance"],
        "sex": ["sexe", "code_sexe", "Sexe"],
        "marital": ["situation_familiale", "sit_fam", "EtatCivil"],
        "nationality": ["nationalite", "code_nationalite", "Nationalité"],
        "email": ["adresse_mail", "courriel", "adr_mail"],
        "phone": ["num_tel", "telephone_portable", "TelFixe"],
        "street": ["rue", "adresse1", "LigneAdresse"],
        "passport": ["num_passeport", "numero_passeport", "Passeport"],
        "national": ["num_secu", "numero_securite_sociale", "NIR"],
        "customer": ["num_client", "id_cli", "CodeClient"],
        "contact": ["personne_a_prevenir", "contact_urgence", "ContactUrgence"],
    },
    "German": {
        "asset": ["kunden", "mitarbeiter", "patienten"],
        "first": ["vorname", "Vor_Name", "zweiter_vorname"],
        "last": ["nachname", "familienname", "KundenNachname"],
        "title": ["anrede", "akad_titel", "Anrede"],
        "born": ["geburtsdatum", "gebdat", "geb_datum"],
        "birthplace": ["geburtsort", "geb_ort", "Geburtsland"],
        "sex": ["geschlecht", "geschlecht_kz", "Geschlecht"],
        "marital": ["familienstand", "zivilstand", "FamStand"],
        "nationality": ["staatsangehoerigkeit", "Staatsangehörigkeit", "staatsbuergerschaft"],
        "email": ["e_mail_adresse", "mailadresse", "EMail"],
        "phone": ["telefonnr", "handy_nr", "MobilNummer"],
        "street": ["strasse", "Straße", "strasse_hausnr"],
        "passport": ["reisepass_nr", "passnummer", "ReisepassNummer"],
        "national": ["sozialversicherungsnummer", "sv_nr", "PersonalausweisNr"],
        "customer": ["kundennr", "kd_nr", "MitgliedsNummer"],
        "contact": ["notfallkontakt", "kontaktperson", "Notfallkontakt_Name"],
    },
    "Spanish": {
        "asset": ["clientes", "empleados", "pacientes"],
        "first": ["primer_nombre", "nombres", "NombreCliente"],
        "last": ["apellidos", "apellido_paterno", "segundo_apellido"],
        "title": ["tratamiento", "trato", "titulo_cortesia"],
        "born": ["fecha_nacimiento", "fec_nac", "fechaDeNacimiento"],
        "birthplace": ["lugar_nacimiento", "lugar_nac", "PaisDeNacimiento"],
        "sex": ["sexo", "genero", "cod_sexo"],
        "marital": ["estado_civil", "EstadoCivil", "edo_civil"],
        "nationality": ["nacionalidad", "ciudadania", "pais_nacionalidad"],
        "email": ["correo_electronico", "correo", "dir_correo"],
        "phone": ["tlf_movil", "num_telefono", "TelefonoCasa"],
        "street": ["direccion", "calle_numero", "domicilio"],
        "passport": ["num_pasaporte", "pasaporte", "NumeroDePasaporte"],
        "national": ["dni", "nro_cedula", "num_seguridad_social"],
        "customer": ["nro_cliente", "cod_cliente", "IdSocio"],
        "contact": ["contacto_emergencia", "persona_contacto", "ContactoDeEmergencia"],
    },
    "Portuguese": {
        "asset": ["clientes", "funcionarios", "pacientes"],
        "first": ["primeiro_nome", "nome_cliente", "NomeSocial"],
        "last": ["sobrenome", "apelido", "UltimoNome"],
        "title": ["tratamento", "forma_tratamento", "PronomeDeTratamento"],
        "born": ["data_nascimento", "dt_nasc", "DataDeNascimento"],
        "birthplace": ["local_nascimento", "naturalidade", "cidade_natal"],
        "sex": ["sexo", "gênero", "tp_sexo"],
        "marital": ["estado_civil", "situacao_conjugal", "EstadoCivil"],
        "nationality": ["nacionalidade", "cidadania", "pais_nacionalidade"],
        "email": ["correio_eletronico", "e_mail", "end_email"],
        "phone": ["telefone_celular", "telemovel", "nr_telefone"],
        "street": ["logradouro", "morada", "endereco_residencial"],
        "passport": ["passaporte", "num_passaporte", "NumeroDoPassaporte"],
        "national": ["cpf", "num_rg", "CartaoDeCidadao"],
        "customer": ["cd_cliente", "codigo_cliente", "IdUtilizador"],
        "contact": ["contato_emergencia", "nome_mae", "nome_contato"],
    },
    "Dutch": {
        "asset": ["klanten", "medewerkers", "patienten"],
        "first": ["voornaam", "roepnaam", "Voornamen"],
        "last": ["achternaam", "geslachtsnaam", "Familienaam"],
        "title": ["aanhef", "aanspreekvorm", "Aanspreektitel"],
        "born": ["geboortedatum", "geboorte_datum", "geb_datum"],
        "birthplace": ["geboorteplaats", "geb_plaats", "Geboorteland"],
        "sex": ["geslacht", "sekse", "Geslachtsaanduiding"],
        "marital": ["burgerlijke_staat", "burgerlijkeStaat", "huwelijkse_staat"],
        "nationality": ["nationaliteit", "staatsburgerschap", "Nationaliteit"],
        "email": ["emailadres", "e_mail_adres", "MailAdres"],
        "phone": ["telefoonnr", "mobiel_nummer", "TelefoonThuis"],
        "street": ["straat", "straat_huisnummer", "WoonAdres"],
        "passport": ["paspoortnummer", "paspoort_nr", "Paspoort"],
        "national": ["bsn", "burgerservicenummer", "bsn_nummer"],
        "customer": ["klantnr", "lid_nr", "Relatienummer"],
        "contact": ["contactpersoon", "noodcontact", "naam_contactpersoon"],
    },
    "Italian": {
        "asset": ["clienti", "dipendenti", "pazienti"],
        "first": ["nome_di_battesimo", "nome_cliente", "SecondoNome"],
        "last": ["cognome", "cognome_nubile", "CognomeCliente"],
        "title": ["titolo_di_cortesia", "appellativo", "TitoloOnorifico"],
        "born": ["data_nascita", "dt_nascita", "DataDiNascita"],
        "birthplace": ["luogo_nascita", "comune_di_nascita", "LuogoDiNascita"],
        "sex": ["sesso", "genere", "Sesso"],
        "marital": ["stato_civile", "StatoCivile", "stato_civ"],
        "nationality": ["nazionalita", "cittadinanza", "Nazionalità"],
        "email": ["posta_elettronica", "indirizzo_email", "IndirizzoMail"],
        "phone": ["cellulare", "num_cellulare", "TelefonoFisso"],
        "street": ["indirizzo", "via_e_numero", "IndirizzoResidenza"],
        "passport": ["numero_passaporto", "passaporto", "num_passaporto"],
        "national": ["codice_fiscale", "cod_fisc", "CartaIdentita"],
        "customer": ["cod_cliente", "num_tessera", "CodiceCliente"],
        "contact": ["contatto_emergenza", "nome_contatto", "ContattoDiEmergenza"],
    },
}
"""How the fields of three tables of people are called, by what they hold."""

CATEGORIES = {
    "first": "identity.name",
    "last": "identity.name",
    "title": "identity.name",
    "born": "identity.date_of_birth",
    "birthplace": "identity.nationality",
    "sex": "identity.gender",
    "marital": "identity.marital_status",
    "nationality": "identity.nationality",
    "email": "contact.email",
    "phone": "contact.phone",
    "street": "contact.postal_address",
    "passport": "identity.passport",
    "national": "identity.national_id",
    "customer": "identity.customer_id",
    "contact": "identity.name",
}

CLOSED = {
    "English": {"title": ["Mr", "Mrs", "Dr."], "sex": ["male", "female"], "marital": ["single", "married", "widowed"]},
    "French": {"title": ["M.", "Mme"], "sex": ["homme", "femme"], "marital": ["célibataire", "mariée", "pacsé"]},
    "German": {"title": ["Herr", "Frau"], "sex": ["m", "w", "d"], "marital": ["ledig", "verheiratet", "geschieden"]},
    "Spanish": {"title": ["Sr.", "Sra.", "Dña."], "sex": ["H", "M"], "marital": ["soltera", "casado", "unión libre"]},
    "Portuguese": {"title": ["Sr.", "Sra.", "Eng."], "sex": ["M", "F"], "marital": ["solteiro", "casada", "viúva"]},
    "Dutch": {"title": ["dhr.", "mevr."], "sex": ["man", "vrouw"], "marital": ["gehuwd", "ongehuwd", "samenwonend"]},
    "Italian": {"title": ["Sig.", "Sig.ra", "Dott."], "sex": ["M", "F"], "marital": ["celibe", "nubile", "coniugata"]},
}

FIRST = ["Alba", "Bruno", "Chloé", "Dirk", "Elena", "Fábio", "Greta", "Hugo", "Inês", "Jörg", "Katja", "Luca"]
LAST = ["Martin", "Müller", "García", "Rossi", "Silva", "de Vries", "Novak", "Dubois", "Weber", "Costa", "Jansen"]
TOWNS = ["Lyon", "Turin", "Ulm", "Leeds", "Porto", "Gent", "Graz", "Cork", "Sevilla", "Breda"]
WAYS = ["Lindenweg {}", "{} rue du Port", "Calle Mayor {}", "Via Roma {}", "Rua das Flores, {}", "Kerkstraat {}"]

MADE: Mapping[str, Callable[[random.Random], str]] = {
    "first": lambda dice: dice.choice(FIRST),
    "last": lambda dice: dice.choice(LAST),
    "contact": lambda dice: f"{dice.choice(FIRST)} {dice.choice(LAST)}",
    "born": lambda dice: f"{dice.randint(1930, 2007)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
    "birthplace": lambda dice: dice.choice(TOWNS),
    "nationality": lambda dice: dice.choice(["French", "DE", "española", "PT", "Nederlandse", "italiana"]),
    "email": lambda dice: f"p{dice.randint(100, 9999)}@globex{dice.randint(1, 9)}.com",
    "phone": lambda dice: f"0{dice.randint(10, 99)} {dice.randint(100, 999)} {dice.randint(1000, 9999)}",
    "street": lambda dice: dice.choice(WAYS).format(dice.randint(1, 99)),
    "odd": lambda dice: dice.choice(["Brelin", "Tamoq", "Xavolt", "Ursk", "Pelwin"]),
    "house": lambda dice: f"{dice.randint(1, 99)}{dice.choice(['', 'a', ' b'])}",
    "passport": lambda dice: f"{dice.choice('ABCX')}{dice.randint(10**6, 10**7 - 1)}",
    "national": lambda dice: f"{dice.randint(10**8, 10**9 - 1)}{dice.choice('ABC0')}",
    "customer": lambda dice: f"K{dice.randint(10_000, 99_999)}",
}

every_language = pytest.mark.parametrize("language", LANGUAGES)


def believed(asset: str, columns: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    run = engine().start(asset)
    run.add(Batch(pa.RecordBatch.from_pydict(dict(columns)), first=1))
    return {(finding.field, finding.category) for finding in run.finish().findings if finding.confidence >= LIKELY_FROM}


def table(language: str, number: int, dice: random.Random) -> dict[str, tuple[str, list[str]]]:
    """A table of people: by the name of a field what it holds, and its cells."""
    fields = {}
    for what in CATEGORIES:
        closed = CLOSED[language].get(what)
        cells = [dice.choice(closed) if closed else MADE[what](dice) for _ in range(ROWS)]
        fields[LANGUAGES[language][what][number]] = (CATEGORIES[what], cells)
    return fields


@every_language
@pytest.mark.parametrize("number", range(3))
def test_a_table_of_people_is_understood(language: str, number: int) -> None:
    fields = table(language, number, random.Random(f"{language} {number}"))
    found = believed(LANGUAGES[language]["asset"][number], {name: cells for name, (_, cells) in fields.items()})

    assert {(name, category) for name, (category, _) in fields.items()} - found == set()


@every_language
def test_the_names_of_fields_speak_without_a_table_around_them(language: str) -> None:
    fields = table(language, 1, random.Random(language))
    missed = [name for name, (kind, cells) in fields.items() if (name, kind) not in believed("t7", {name: cells})]

    assert missed == []


SHORT = [
    ("kunden", "vn", "identity.name", "geburtsdatum", "odd"),
    ("kunden", "nn", "identity.name", "geburtsdatum", "odd"),
    ("clientes", "cel", "contact.phone", "apellidos", "phone"),
    ("kunden", "hnr", "contact.postal_address", "strasse", "house"),
    ("pessoas", "rg", "identity.national_id", "sobrenome", "national"),
]


@pytest.mark.parametrize(("asset", "short", "category", "beside", "what"), SHORT)
def test_a_short_form_that_could_mean_anything_needs_the_table(
    asset: str, short: str, category: str, beside: str, what: str
) -> None:
    cells = [MADE[what](random.Random(number)) for number in range(ROWS)]
    others = ["a1", "b2"] * (ROWS // 2)

    assert (short, category) in believed(asset, {short: cells, beside: others})
    assert (short, category) not in believed("t7", {short: cells, "x": others})


@pytest.mark.parametrize(
    ("asset", "field", "cells"),
    [
        ("libros", "titulo", ["Rayuela", "Ficciones", "Nada"]),
        ("bücher", "titel", ["Faust", "Momo", "Das Parfum"]),
        ("film", "genere", ["commedia", "dramma", "giallo"]),
        ("livres", "genre", ["roman", "policier", "essai"]),
        ("commandes", "statut", ["autre", "inconnu"]),
        ("orders", "state", ["other", "unknown"]),
        ("flights", "eta", ["12", "14", "18"]),
        ("routers", "port", ["8080", "443", "22"]),
        ("clients", "nb_clients", ["12", "7", "40"]),
        ("kunden", "anzahl_telefon", ["1", "2", "3"]),
        ("pedidos", "email_activo", ["true", "false"]),
    ],
)
def test_ordinary_fields_are_not_about_a_person(asset: str, field: str, cells: list[str]) -> None:
    assert {
        category for _, category in believed(asset, {field: cells * 12}) if category.startswith("identity.")
    } == set()
    assert {
        category for _, category in believed(asset, {field: cells * 12}) if category.startswith("contact.")
    } == set()
