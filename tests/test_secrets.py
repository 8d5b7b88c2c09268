"""Secrets of many kinds are found where they stand, and what only looks like one is left alone.

Everything is drawn at random here, and prefixes of tokens are put together when the test runs, so that no line of this
file looks like a live key.
"""

from __future__ import annotations

import base64
import json
import string
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

import pyarrow as pa
import pytest
import regex

from mapkeeper.plugin import Batch
from mapkeeper.rules import Rule
from mapkeeper_classifiers.checks import secrets as checks
from shipped import engine, standard_rules

KEPT = ("credential.password", "credential.secret", "credential.session")
ALL = standard_rules()
RULES = [rule for rule in ALL if rule.category in KEPT]
NAMING = [rule for rule in ALL if rule.category == "credential.username"]
CORPUS_SEED = 20261121
A_KIND = 12

Line = tuple[str, str]
"""A line, and the secret in it."""

HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + string.digits
B64 = ALNUM + "+/"
B64URL = ALNUM + "-_"
WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "falcon",
    "garnet",
    "harbor",
    "island",
    "jasper",
    "kestrel",
    "lagoon",
    "meadow",
    "nectar",
    "otter",
    "pebble",
    "quartz",
    "raven",
    "saffron",
    "timber",
    "umber",
    "violet",
    "willow",
    "yonder",
    "zephyr",
    "anchor",
    "beacon",
    "copper",
    "drift",
    "eagle",
    "forest",
    "glacier",
]


def drawn(rng: Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


def chosen(rng: Random) -> str:
    """A password as people choose them: words bent a little, with digits and signs."""
    one, two = rng.choice(WORDS), rng.choice(WORDS)
    number = rng.randrange(10, 9999)
    leet = one.replace("a", "4").replace("e", "3").replace("o", "0")
    return rng.choice(
        [
            f"{one.title()}{number}!",
            f"{one}{number}",
            f"{leet}{two.title()}",
            f"{one.title()}#{two}{number}",
            f"{number}{one.title()}{two}",
            drawn(rng, ALNUM + "!@#%^*-_=+", rng.randrange(9, 20)),
            f"{leet.title()}@{number}",
            f"{one}-{number}-{two.title()}",
            drawn(rng, ALNUM, rng.randrange(10, 24)),
        ]
    )


def key(rng: Random) -> str:
    """A key as machines draw them."""
    shapes = (
        (HEX, 32),
        (HEX, 40),
        (HEX, 64),
        (ALNUM, 20),
        (ALNUM, 32),
        (ALNUM, 40),
        (B64URL, 43),
        (B64, 44),
        (ALNUM, 24),
    )
    return drawn(rng, *rng.choice(shapes))


def of(make: Callable[[Random], str], *templates: str) -> Callable[[Random], Line]:
    """A secret of a kind in one of its surroundings; ``@@`` is where it stands."""

    def line(rng: Random) -> Line:
        value = make(rng)
        return rng.choice(templates).replace("@@", value), value

    return line


def prefixed(prefix: str, alphabet: str, length: int) -> Callable[[Random], str]:
    return lambda rng: prefix + drawn(rng, alphabet, length)


def jwt(rng: Random) -> str:
    def part(data: Mapping[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    claims = {"sub": str(rng.randrange(10**9)), "exp": rng.randrange(10**9, 2 * 10**9)}
    return ".".join((part({"alg": rng.choice(["HS256", "RS256"]), "typ": "JWT"}), part(claims), drawn(rng, B64URL, 43)))


def basic(rng: Random) -> str:
    return base64.b64encode(f"{rng.choice(WORDS)}:{chosen(rng)}".encode()).decode()


def plain_word(rng: Random) -> str:
    return rng.choice(WORDS) + rng.choice(["", rng.choice(WORDS)])


IN_TEXT = (
    "@@",
    "remote: using @@ for this run",
    "key @@ was leaked",
    "TOKEN=@@",
    '{"value": "@@"}',
    "curl -H 'X-Key: @@' x",
)

SECRETS: Mapping[str, Callable[[Random], Line]] = {
    "password in an env file": of(
        chosen, "DB_PASSWORD=@@", "export SMTP_PASSWORD='@@'", 'REDIS_PASS="@@"', "APP_PWD=@@"
    ),
    "plain word in an env file": of(plain_word, "MYSQL_ROOT_PASSWORD=@@", "export FTP_PASS=@@", 'PGPASSWORD="@@"'),
    "password in YAML": of(
        chosen, "  password: @@", "db_password: '@@'", '    smtpPassword: "@@"', "passwd: @@  # prod"
    ),
    "password in JSON": of(chosen, '{"user": "app", "password": "@@"}', '"dbPassword": "@@",', '{"passwd":"@@","n":1}'),
    "plain word in JSON": of(plain_word, '{"password": "@@"}', '"db_password": "@@",'),
    "password in INI or properties": of(chosen, "password = @@", "spring.datasource.password=@@", "mail.smtp.pwd=@@"),
    "password in XML": of(
        chosen,
        "<password>@@</password>",
        '<add key="DbPassword" value="@@" />',
        '<user name="a" password="@@"/>',
        '<property name="connection.password">@@</property>',
    ),
    "password in Python": of(
        chosen, 'password = "@@"', "connect(user='a', password='@@', host=h)", 'cfg["password"] = "@@"'
    ),
    "password in Java": of(
        chosen, 'String password = "@@";', 'props.setProperty("password", "@@");', 'setPassword("@@");'
    ),
    "password in PHP or JavaScript": of(
        chosen, "$db_password = '@@';", "'password' => '@@',", "const dbPass = '@@';", "define('DB_PASSWORD', '@@');"
    ),
    "password in other languages": of(
        chosen,
        "mot_de_passe: @@",
        "Passwort: @@",
        "kennwort = @@",
        "contraseña: @@",
        "senha=@@",
        "wachtwoord: @@",
        "mdp=@@",
    ),
    "password in a command": of(
        chosen,
        "mysql -u root -p@@ shop",
        "sshpass -p '@@' ssh app@host",
        "tool login --password @@",
        "tool --password=@@ -v",
        "curl -u admin:@@ https://example.com/api",
    ),
    "password in a log": of(
        chosen,
        "2026-11-21 10:00:00 INFO login user=bob password=@@ ip=192.0.2.1",
        "POST /login?user=bob&password=@@ HTTP/1.1",
        'DEBUG params: {"email": "a@example.com", "password": "@@"}',
    ),
    "password in prose": of(
        lambda rng: rng.choice(WORDS).title() + f"#{rng.randrange(1000, 9999)}",
        "Your new password is @@",
        "das Passwort lautet @@",
        "Login with user bob, password: @@",
        "mot de passe : @@",
    ),
    "password in SQL": of(chosen, "CREATE USER app IDENTIFIED BY '@@';", "ALTER ROLE app WITH PASSWORD '@@';"),
    "password in a URL": of(
        lambda rng: drawn(rng, ALNUM + "-_!", 14),
        "postgresql://app:@@@db.example.com/app",
        "DATABASE_URL=mysql://u:@@@10.0.0.5:3306/x",
        "redis://:@@@cache:6379/0",
        "amqp://guest:@@@mq.internal",
        "git clone https://bot:@@@git.example.com/x.git",
    ),
    "connection string": of(
        lambda rng: drawn(rng, ALNUM + "!#-", 12),
        "Server=db;Database=x;User Id=sa;Password=@@;",
        "host=db user=app password=@@ dbname=x",
        "Data Source=db;Initial Catalog=x;UID=sa;Pwd=@@",
        "jdbc:mysql://db/x?user=app&password=@@",
        "app:@@@tcp(db:3306)/x",
    ),
    "basic authorization": of(
        basic, "Authorization: Basic @@", '"Authorization": "Basic @@"', "-H 'authorization: basic @@'"
    ),
    "bearer token": of(
        lambda rng: drawn(rng, B64URL, 40), "Authorization: Bearer @@", '"authorization":"Bearer @@"', "Bearer @@"
    ),
    "api key": of(
        key,
        "API_KEY=@@",
        'api_key: "@@"',
        '"apiKey": "@@"',
        "X-Api-Key: @@",
        "apikey=@@&q=1",
        "const API_KEY = '@@';",
        "--api-key @@",
        "maps_api_key = @@",
    ),
    "client secret": of(
        key, "client_secret=@@", '"clientSecret": "@@"', "OAUTH_CLIENT_SECRET: @@", "app_secret = '@@'"
    ),
    "access token": of(
        key, "access_token=@@", '"accessToken": "@@",', "auth_token: @@", "refresh_token=@@", "token: @@"
    ),
    "signing or encryption key": of(
        key,
        "SECRET_KEY = '@@'",
        "jwt.secret=@@",
        "encryption_key: @@",
        "SECRET_KEY_BASE=@@",
        "signingKey: '@@'",
        "private_key=@@",
    ),
    "named key": of(
        lambda rng: drawn(rng, ALNUM, 32),
        "ALGOLIA_KEY=@@",
        "MAILER_TOKEN: @@",
        "pusher-secret=@@",
        "const mapsKey = '@@'",
    ),
    "key in other languages": of(
        key, "clé API : @@", "clave_api=@@", "API-Schlüssel: @@", "chave_secreta=@@", "chiave_api: @@"
    ),
    "shared key of storage": of(
        lambda rng: drawn(rng, B64, 86) + "==",
        "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=@@;EndpointSuffix=y",
        "SharedAccessKey=@@",
    ),
    "shared access signature": of(
        lambda rng: drawn(rng, ALNUM, 43) + "%3D", "https://x.blob.example/c?sv=2022-11-02&sp=r&sig=@@"
    ),
    "secret of AWS": of(
        lambda rng: drawn(rng, B64, 40), "aws_secret_access_key = @@", '"SecretAccessKey": "@@"', "AWS_SECRET_KEY=@@"
    ),
    "key id of AWS": of(
        prefixed("AK" + "IA", string.ascii_uppercase + "234567", 16), *IN_TEXT, "aws_access_key_id = @@"
    ),
    "temporary key id of AWS": of(prefixed("AS" + "IA", string.ascii_uppercase + "234567", 16), *IN_TEXT),
    "key of Google": of(prefixed("AI" + "za", B64URL[:-2], 35), *IN_TEXT),
    "token of Google": of(prefixed("ya" + "29.", B64URL, 60), *IN_TEXT),
    "client secret of Google": of(prefixed("GOC" + "SPX-", ALNUM, 28), *IN_TEXT),
    "client secret of Azure": of(lambda rng: drawn(rng, ALNUM, 3) + "8Q~" + drawn(rng, ALNUM, 34), *IN_TEXT),
    "token of GitHub": of(prefixed("gh" + "p_", ALNUM, 36), *IN_TEXT),
    "new token of GitHub": of(
        lambda rng: "github" + "_pat_" + drawn(rng, ALNUM, 22) + "_" + drawn(rng, ALNUM, 59), *IN_TEXT
    ),
    "token of GitLab": of(prefixed("gl" + "pat-", B64URL[:-2], 20), *IN_TEXT),
    "token of Slack": of(
        lambda rng: f"xoxb-{rng.randrange(10**11, 10**12)}-{rng.randrange(10**12, 10**13)}-{drawn(rng, ALNUM, 24)}",
        *IN_TEXT,
    ),
    "webhook of Slack": of(
        lambda rng: "/".join(
            (
                "T" + drawn(rng, string.ascii_uppercase, 9),
                "B" + drawn(rng, string.ascii_uppercase, 9),
                drawn(rng, ALNUM, 24),
            )
        ),
        "https://hooks.slack.com/services/@@",
    ),
    "webhook of Discord": of(
        lambda rng: drawn(rng, B64URL, 68), "https://discord.com/api/webhooks/829471650193847561/@@"
    ),
    "key of Stripe": of(prefixed("sk" + "_live_", ALNUM, 24), *IN_TEXT),
    "key of SendGrid": of(lambda rng: "SG." + drawn(rng, B64URL, 22) + "." + drawn(rng, B64URL, 43), *IN_TEXT),
    "key of Twilio": of(prefixed("S" + "K", HEX, 32), *IN_TEXT),
    "token of npm": of(prefixed("np" + "m_", ALNUM, 36), *IN_TEXT, "//packages.example.org/:_authToken=@@"),
    "token of PyPI": of(prefixed("py" + "pi-AgEIcHlwaS5vcmc", B64URL, 80), *IN_TEXT),
    "token of a hoster": of(prefixed("do" + "p_v1_", HEX, 64), *IN_TEXT),
    "token of a shop": of(prefixed("sh" + "pat_", HEX, 32), *IN_TEXT),
    "key of models": of(prefixed("sk" + "-ant-api03-", B64URL, 80), *IN_TEXT),
    "key of other models": of(prefixed("sk" + "-proj-", ALNUM, 48), *IN_TEXT),
    "token of a model hub": of(prefixed("h" + "f_", ALNUM, 34), *IN_TEXT),
    "token of a vault": of(prefixed("hv" + "s.", B64URL, 90), *IN_TEXT),
    "token of a lake": of(prefixed("da" + "pi", HEX, 32), *IN_TEXT),
    "token of a bot": of(lambda rng: f"{rng.randrange(10**8, 10**9)}:AA" + drawn(rng, B64URL, 33), *IN_TEXT),
    "JSON web token": of(jwt, *IN_TEXT, "Authorization: Bearer @@", "Cookie: auth=@@"),
    "private key": of(
        lambda rng: f"-----BEGIN {rng.choice(['RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED ', ''])}PRIVATE KEY-----",
        "@@",
        '"private_key": "@@\\nMII',
        "  @@",
    ),
    "bcrypt": of(
        lambda rng: f"$2b$12${drawn(rng, ALNUM + './', 53)}", "@@", "alice:@@", "('alice', '@@', 1)", '"hash": "@@"'
    ),
    "sha512crypt": of(
        lambda rng: f"$6${drawn(rng, ALNUM, 12)}${drawn(rng, ALNUM + './', 86)}", "alice:@@:19000:0:99999:7:::", "@@"
    ),
    "argon2": of(
        lambda rng: f"$argon2id$v=19$m=65536,t=3,p=4${drawn(rng, B64, 22)}${drawn(rng, B64, 43)}",
        "@@",
        "hash='@@'",
        "x,@@,y",
    ),
    "pbkdf2 of Django": of(
        lambda rng: f"pbkdf2_sha256$600000${drawn(rng, ALNUM, 22)}${drawn(rng, B64, 43)}=", "@@", "(1, '@@')"
    ),
    "hash of Werkzeug": of(
        lambda rng: f"scrypt:32768:8:1${drawn(rng, ALNUM, 16)}${drawn(rng, HEX, 128)}", "@@", "(1, '@@')"
    ),
    "hash of LDAP": of(lambda rng: "{SSHA}" + drawn(rng, B64, 32), "@@", "userPassword: @@"),
    "hash of WordPress": of(lambda rng: "$P$B" + drawn(rng, ALNUM + "./", 30), "@@", "(1, 'admin', '@@')"),
    "hash of PostgreSQL": of(lambda rng: "md5" + drawn(rng, HEX, 32), "@@", "ALTER ROLE a PASSWORD '@@'"),
    "hash of MySQL": of(lambda rng: "*" + drawn(rng, HEX.upper(), 40), "@@", "IDENTIFIED BY PASSWORD '@@'"),
    "hash of Windows": of(lambda rng: f"{drawn(rng, HEX, 32)}:{drawn(rng, HEX, 32)}:::", "alice:1001:@@"),
    "session cookie": of(
        lambda rng: drawn(rng, ALNUM, 32),
        "Cookie: PHPSESSID=@@; theme=dark",
        "Set-Cookie: JSESSIONID=@@; Path=/",
        "sessionid=@@",
        '"session_id": "@@"',
        "connect.sid=s%3A@@",
    ),
    "passphrase": of(lambda rng: " ".join(rng.sample(WORDS, 5)), "passphrase: @@", 'mnemonic = "@@"'),
}


def decoy(*templates: str, fill: Callable[[Random], str] = lambda rng: rng.choice(WORDS)) -> Callable[[Random], str]:
    return lambda rng: rng.choice(templates).replace("@@", fill(rng))


def dotted(rng: Random) -> str:
    return f"{rng.choice(['user', 'form', 'account', 'credentials', 'body'])}.{rng.choice(WORDS)}"


PLACEHOLDERS = (
    "********",
    "<password>",
    "xxxxxxxx",
    "changeme",
    "YOUR_API_KEY",
    "your-password-here",
    "[REDACTED]",
    "<your token>",
    "REPLACE_ME",
    "null",
    "None",
    "...",
    "example",
    "placeholder",
    "TODO",
    "[FILTERED]",
    "change-me-please",
    "insert_key_here",
    "••••••••",
    "dummy-token",
)
KEYS = (
    "password",
    "api_key",
    "client_secret",
    "db_password",
    "secret_key",
    "auth_token",
    "passwd",
    "DB_PASS",
    "accessToken",
)

DECOYS: Mapping[str, Callable[[Random], str]] = {
    "placeholder": lambda rng: rng.choice(["{k}={v}", '{k}: "{v}"', '"{k}": "{v}"', "{k} = '{v}'"]).format(
        k=rng.choice(KEYS), v=rng.choice(PLACEHOLDERS)
    ),
    "variable": lambda rng: rng.choice(
        ["{k}=${{{n}}}", "{k}=${n}", "{k}: %{n}%", '{k} = "{{{{ {n} }}}}"', "{k}: $({n})", "{k}=${n}"]
    ).format(k=rng.choice(KEYS), n=rng.choice(["DB_PASS", "secret", "APP_TOKEN", "vault_password"])),
    "call": lambda rng: rng.choice(
        [
            "{k} = {n}()",
            "{k}: {n}(user, 12)",
            "{k} = os.environ['{n}']",
            "{k} = await {n}(req)",
            '{k} := os.Getenv("{n}")',
            "{k}: hashlib.sha256({n})",
            "{k} = base64.b64decode({n})",
        ]
    ).format(k=rng.choice(KEYS), n=rng.choice(["getSecret", "load_config", "generate"])),
    "attribute": lambda rng: (
        f"{rng.choice(KEYS)}{rng.choice([' = ', ': ', '='])}{dotted(rng)}{rng.choice([',', ';', ''])}"
    ),
    "other variable": lambda rng: (
        rng.choice(KEYS)
        + rng.choice([" = ", ": "])
        + rng.choice(["new_password", "userToken", "pass1", "password2"])
        + ";"
    ),
    "type": lambda rng: (
        rng.choice(["password: ", "apiKey: ", "token: ", "secret: "])
        + rng.choice(["string", "str", "String!", "Optional[str]", "string;", "varchar(255)", "SecretStr"])
    ),
    "boolean or number": lambda rng: (
        rng.choice(KEYS)
        + rng.choice(["_required", "_length", "_min", ""])
        + rng.choice([" = true", "=8", ": no", "=0"])
    ),
    "label of a form": decoy(
        '"password": "Password"',
        '<label for="password">Password:</label>',
        'password: "Please enter a password"',
        '"password": "Mot de passe"',
        'placeholder="Password"',
        '"token": "Token"',
        '"forgot_password": "Forgot?"',
    ),
    "validation": decoy(
        "password: required|min:8",
        '"password": "required|confirmed"',
        "password: z.string().min(8)",
        "'password' => 'hashed'",
    ),
    "key in a path": decoy(
        "password_file=/run/secrets/@@",
        "secret: /var/lib/@@/token",
        "private_key = ~/.ssh/id_@@",
        "ssl_key=certs/@@.pem",
    ),
    "reference to a vault": decoy(
        "password: vault:secret/@@#key",
        "secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:@@",
        "password: op://vault/@@/pw",
        "token: !secret @@",
        "password: ENC(x9@@)",
    ),
    "address": decoy(
        "password_reset_url=https://example.com/@@",
        "token_endpoint: https://id.example.com/@@",
        "https://example.com/@@?page=2",
        "secret: https://vault.example.com",
    ),
    "git commit": decoy(
        "commit @@",
        "Merge @@ into main",
        "HEAD is now at @@",
        "ref=@@",
        '"sha": "@@"',
        fill=lambda rng: drawn(rng, HEX, 40),
    ),
    "short commit": decoy("@@ fix typo", "v1.2.3-4-g@@", fill=lambda rng: drawn(rng, HEX, 8)),
    "checksum": decoy(
        "sha256:@@",
        '"checksum": "@@"',
        "@@  file.tar.gz",
        "digest=@@",
        "etag: @@",
        fill=lambda rng: drawn(rng, HEX, 64),
    ),
    "md5 of a file": decoy("MD5 (x.iso) = @@", "@@  x.iso", "hash=@@", fill=lambda rng: drawn(rng, HEX, 32)),
    "integrity of a package": decoy(
        '"integrity": "sha512-@@=="', "--hash=sha256:@@", fill=lambda rng: drawn(rng, B64, 86)
    ),
    "UUID": decoy(
        "request_id=@@",
        '"id": "@@"',
        "trace @@ done",
        "tenant_id: @@",
        fill=lambda rng: str(uuid.UUID(int=rng.getrandbits(128))),
    ),
    "data in base64": decoy(
        "data:image/png;base64,@@", "ssh-rsa @@ alice@host", '"body": "@@"', fill=lambda rng: drawn(rng, B64, 120)
    ),
    "certificate": decoy(
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PGP SIGNATURE-----",
        "MII@@",
        fill=lambda rng: drawn(rng, B64, 61),
    ),
    "token that pages": decoy(
        "next_token=@@",
        '"nextPageToken": "@@"',
        "continuation_token: @@",
        "cancellationToken=@@",
        fill=lambda rng: drawn(rng, ALNUM, 32),
    ),
    "key that is public": decoy(
        "public_key=@@",
        "cache_key: @@",
        '"publicKey": "@@"',
        "primary_key=@@",
        "partition-key: @@",
        "s3_key: @@",
        fill=lambda rng: drawn(rng, ALNUM, 32),
    ),
    "word as a key": decoy(
        "sort_key=@@",
        "primary_key: id",
        "key: @@",
        "token: refresh",
        "grant_type=password",
        "auth: @@",
        "secret: @@-credentials",
        "token_type: Bearer",
        "secretName: @@-tls",
    ),
    "failed login": decoy(
        "Failed password for @@ from 192.0.2.1 port 22 ssh2",
        "password changed for @@",
        "Invalid token @@",
        "token expired for user @@",
        "wrong password for account @@",
    ),
    "prose": decoy(
        "the password must have eight characters",
        "Reset your password for @@",
        "a secret garden of @@",
        "Bearer authentication is required for @@",
        "see the token section of the manual",
        "passwords are stored hashed",
        "the key is under the @@",
        "basic knowledge of @@",
        "session expired for @@",
    ),
    "line of code": decoy(
        "def check_password(password, @@):",
        "if password == @@.password:",
        "return token(@@)",
        "import secrets",
        "password_hash = hash(password)",
        "self.assertEqual(password, @@)",
        "private String password;",
        "token = tokens[i]",
        "for token in tokens:",
        "password = input('Password: ')",
    ),
    "line of a log": decoy(
        "GET /api/@@?page=2 200 12ms",
        "session opened for user @@",
        "user=@@ ip=192.0.2.7 status=200",
        "key=@@ value=12",
        "auth ok for @@",
    ),
    "time or version": decoy(
        "token_expires=2026-11-21T10:00:00Z",
        "version: 1.2.3",
        "password_changed_at=1690000000",
        "secret_version: 12",
        "session: 2026-11-21",
    ),
    "account or host": decoy(
        "user=@@", "host: @@.example.com", "passwd: files systemd", "@@:x:1000:1000::/home/@@:/bin/bash", "PWD=/home/@@"
    ),
    "key of the manuals": lambda rng: rng.choice(
        ["AKIAIOSFODNN7EXAMPLE", "ghp_" + "x" * 36, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "sk_test_" + "x" * 24]
    ),
    "identifier": decoy(
        "sk-@@-learn-extras-package-name",
        "hf_@@_download_with_retries_on",
        "const @@SecretKeyProvider = new Provider()",
        "key-value-store-of-@@-items",
        "secret_manager_client = @@",
    ),
    "placeholder address": decoy(
        "postgres://user:password@localhost/@@",
        "https://user:${PASS}@example.com/@@",
        "redis://:<password>@host",
        "mysql://root:***@db/@@",
    ),
    "jar of cookies": decoy(
        "Cookie: theme=dark; lang=@@",
        "session_id=12",
        "sid=S-1-5-21-1004",
        "session: established-by-peer",
        "sessionid=none",
    ),
}


def lines(kinds: Mapping[str, Callable[[Random], Line]]) -> Iterator[tuple[str, Line]]:
    for kind, make in kinds.items():
        rng = Random(f"{CORPUS_SEED} {kind}")
        for _ in range(A_KIND):
            yield kind, make(rng)


def found(text: str, among: Sequence[Rule] = RULES) -> list[tuple[Rule, str]]:
    """What the rules find in a text without knowing of any name."""
    values = []
    for rule in among:
        for pattern in rule.find:
            for match in regex.finditer(pattern.regex, text):
                value = match["value"] if "value" in match.groupdict() else match.group()
                if value and (rule.check is None or rule.check(value)):
                    values.append((rule, value))
    return values


def hit(text: str, secret: str) -> bool:
    return any(secret in value or (value in secret and 2 * len(value) >= len(secret)) for _, value in found(text))


def test_the_corpus_is_large_enough() -> None:
    assert len(SECRETS) >= 40 and len(SECRETS) * A_KIND >= 300  # noqa: PT018
    assert len(DECOYS) >= 25 and len(DECOYS) * 2 * A_KIND >= 600  # noqa: PT018


@pytest.mark.parametrize("kind", SECRETS)
def test_most_secrets_of_a_kind_are_found(kind: str) -> None:
    rng = Random(f"{CORPUS_SEED} {kind}")
    made = [SECRETS[kind](rng) for _ in range(A_KIND)]
    assert sum(hit(text, secret) for text, secret in made) >= 0.75 * A_KIND


def test_secrets_are_found_and_decoys_are_not() -> None:
    hits = [hit(text, secret) for _, (text, secret) in lines(SECRETS)]
    rng = Random(CORPUS_SEED)
    false = [text for make in DECOYS.values() for _ in range(2 * A_KIND) if found(text := make(rng))]

    assert sum(hits) >= 0.9 * len(hits)
    assert sum(hits) >= 0.98 * (sum(hits) + len(false))


# --- in tables --------------------------------------------------------------------------------------------------------


def many(make: Callable[[Random], object], name: str) -> list[object]:
    rng = Random(name)
    return [make(rng) for _ in range(40)]


COLUMNS: Mapping[str, Callable[[Random], str]] = {
    "smtp_password": chosen,
    "PasswordHash": lambda rng: drawn(rng, ALNUM, 60),
    "pwd_md5": lambda rng: drawn(rng, HEX, 32),
    "mot_de_passe": chosen,
    "kennwort": chosen,
    "senha": chosen,
    "wachtwoord": chosen,
    "clave": chosen,
    "userPassword": chosen,
    "client_secret": key,
    "api_key": key,
    "refresh_token": key,
    "webhook_secret": key,
    "otp_secret": lambda rng: drawn(rng, ALNUM, 32),
    "aws_secret": lambda rng: drawn(rng, B64, 40),
    "auth_token": lambda rng: str(uuid.UUID(int=rng.getrandbits(128))),
    "session_id": lambda rng: drawn(rng, ALNUM, 32),
    "value": jwt,
    "data": prefixed("gh" + "p_", ALNUM, 36),
}
OTHER_COLUMNS: Mapping[str, Callable[[Random], object]] = {
    "password_changed_at": lambda rng: f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
    "token_count": lambda rng: rng.randrange(9000),
    "secret_name": lambda rng: f"{rng.choice(WORDS)}-tls",
    "token_type": lambda rng: "Bearer",
    "password_policy": lambda rng: rng.choice(["strong", "weak"]),
    "key": lambda rng: rng.choice(WORDS),
    "token": lambda rng: rng.choice(WORDS),
    "sha256": lambda rng: drawn(rng, HEX, 64),
    "commit": lambda rng: drawn(rng, HEX, 40),
    "cache_key": lambda rng: drawn(rng, HEX, 32),
    "request_id": lambda rng: str(uuid.UUID(int=rng.getrandbits(128))),
    "pass": lambda rng: rng.choice(["pass", "fail"]),
    "session": lambda rng: rng.choice(["morning", "evening"]),
    "compass": lambda rng: rng.choice("NESW"),
    "failed_password_attempts": lambda rng: rng.randrange(5),
    "fingerprint": lambda rng: "SHA256:" + drawn(rng, B64, 43),
    "api_key_enabled": lambda rng: rng.choice([True, False]),
    "passenger": lambda rng: rng.choice(WORDS).title(),
}


def likely(column: str, values: list[object]) -> set[str]:
    """Kinds of secret that a field of this name with these values is likely to hold."""
    run = engine().start("settings")
    run.add(Batch(pa.RecordBatch.from_pydict({column: values}), first=1))
    return {found.category for found in run.finish().findings if found.confidence >= 0.5} & set(KEPT)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_secrets_is_one(name: str) -> None:
    assert likely(name, many(COLUMNS[name], name))


@pytest.mark.parametrize("name", OTHER_COLUMNS)
def test_a_column_that_only_sounds_secret_is_none(name: str) -> None:
    assert not likely(name, many(OTHER_COLUMNS[name], name))


def test_a_line_with_a_secret_among_many_without_is_found() -> None:
    rng = Random(CORPUS_SEED)
    plain = [DECOYS["line of a log"](rng) + f" request {number}" for number in range(200)]
    assert likely("text", [*plain, "login user=bob password=" + chosen(rng), *plain])


# --- user names in logs -----------------------------------------------------------------------------------------------

NAMED = (
    "Accepted publickey for @@ from 192.0.2.1 port 22 ssh2",
    "Failed password for invalid user @@ from 192.0.2.1 port 22 ssh2",
    "pam_unix(sshd:session): session opened for user @@(uid=1000) by (uid=0)",
    "sudo:    @@ : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    "CRON[812]: (@@) CMD (run-parts /etc/cron.hourly)",
    "systemd-logind[1]: New session 12 of user @@.",
    "su: (to root) @@ on pts/0",
    "dovecot: imap-login: Login: user=<@@>, method=PLAIN, rip=192.0.2.1",
    "postfix/smtpd[1]: sasl_method=PLAIN, sasl_username=@@",
    'FATAL:  password authentication failed for user "@@"',
    "Access denied for user '@@'@'192.0.2.1' (using password: YES)",
    "2026-11-21 Connect @@@localhost on shop using Socket",
    '192.0.2.1 - @@ [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1',
    "Account Name:\t\t@@",
    '<Data Name="TargetUserName">@@</Data>',
    '{"event":"login","username":"@@"}',
    'type=USER_LOGIN acct="@@" res=success',
    "%SYS-5-CONFIG_I: Configured from console by @@ on vty0 (192.0.2.1)",
    "Login OK: [@@/<via Auth-Type = EAP>] (from client ap)",
    "arn:aws:iam::123456789012:user/@@",
    "ovpn: @@/192.0.2.1:1194 PUSH: Received control message",
    "new user: name=@@, UID=1001, GID=1001",
    "AAA user authentication Successful : server = 192.0.2.1 : user = @@",
    "Login failed: @@ (Remote IP: 192.0.2.1)",
    "user @@ logged in from 192.0.2.1",
    "CLIENT_NOT_FOUND: @@@EXAMPLE.COM for krbtgt/EXAMPLE.COM@EXAMPLE.COM",
    "USER @@: Login successful.",
    "authentication failed for user '@@'",
)
NAMELESS = (
    "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1",
    "user space tools are up to date",
    "session closed",
    "login failed",
    '192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1',
    "the user is not known",
    "check pass; user unknown",
    "Login incorrect",
    "message authentication code incorrect [preauth]",
    "user=0",
    "user: null",
    "Account Name:\t\t-",
    "no user found in the directory",
    "user-agent: probe",
    "connection from 192.0.2.1 closed by the user",
    "for user input see the manual",
    "invalid user name",
    "uid=0 euid=0",
    "as user of the service",
    "Started User Manager for UID 1000.",
    "authenticated by the server",
    "password changed",
    "opened by LOGIN(uid=0)",
)


def test_user_names_are_found_in_common_logs() -> None:
    rng = Random(CORPUS_SEED)
    names = [
        f"{rng.choice(WORDS)}{rng.choice(['', '_', '.'])}{rng.choice(WORDS)}{rng.choice(['', '7', '23'])}"
        for _ in range(5)
    ]
    missed = [
        line
        for line in NAMED
        for name in names
        if not any(name in value for _, value in found(line.replace("@@", name), NAMING))
    ]
    assert missed == []


@pytest.mark.parametrize("line", NAMELESS)
def test_words_of_a_log_are_no_user_names(line: str) -> None:
    assert [value for _, value in found(line, NAMING)] == []


# --- checks and speed -------------------------------------------------------------------------------------------------


def test_entropy_is_in_bits_a_character() -> None:
    assert checks.entropy("aaaa") == 0
    assert checks.entropy("abab") == 1
    assert checks.entropy(HEX) == pytest.approx(4)


def test_a_token_is_told_from_the_header_of_another_thing() -> None:
    rng = Random(CORPUS_SEED)
    assert checks.jwt(jwt(rng))
    assert not checks.jwt("eyJhIjoxfQ.eyJhIjoxfQ.aaaa")
    assert not checks.jwt("eyJ[[[")


def test_basic_credentials_decode_to_a_name_and_a_word() -> None:
    rng = Random(CORPUS_SEED)
    assert checks.basic(basic(rng))
    assert not checks.basic(base64.b64encode(b"no colon here").decode())
    assert not checks.basic(base64.b64encode(b"user:").decode())
    assert not checks.basic("realm")


@pytest.mark.parametrize(
    "piece",
    [
        "password=",
        "pass: ",
        "aws",
        "aws secret ",
        "basic ",
        "auth:",
        '"kty":"RSA"',
        "mysql -p",
        "curl -u a:",
        "a.password",
        "://a:",
        "A::b:",
        "BEGIN ",
        "eyJ",
        "eyJa.",
        "secret_",
        'token="',
        "a_key",
        "--token ",
        "passphrase: a ",
        "session=",
        "user [a]",
        "1.1.1.1:1 ",
        '\\"password',
    ],
)
def test_no_rule_for_secrets_is_slow_on_a_hostile_text(piece: str) -> None:
    for text in (piece * (8_000 // len(piece)), " ".join([piece] * (8_000 // (len(piece) + 1)))):
        for rule in (*RULES, *NAMING):
            for pattern in rule.find:
                for _ in regex.finditer(pattern.regex, text, timeout=0.5):
                    pass
