"""Policies: whether a bucket policy lets everybody in, and whether it insists on TLS, as far as its text tells.

"Public" is meant as AWS means it ("Blocking public access to your Amazon S3 storage: The meaning of 'public'",
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html): a policy is public
unless it grants access to fixed principals only, or under a condition that holds the caller to fixed values.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mapkeeper_connectors.s3.statement import Condition, Statement, begins, covers, fixed, read

_EXPOSING = ("s3:get", "s3:list", "s3:put", "s3:delete", "s3:abortmultipartupload", "s3:restoreobject")
"""How the actions begin that expose what is in a bucket to reads or writes, as AWS lists them with ``IsPublic``."""

_DOES = {
    "read objects": ("s3:getobject", "s3:getobjectversion"),
    "list names": ("s3:listbucket", "s3:listbucketversions"),
    "write or delete": ("s3:putobject", "s3:deleteobject", "s3:deleteobjectversion", "s3:deletebucket"),
}

_CALLER = frozenset(
    {"aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount"}
    | {"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid"}
    | {"s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id"}
)
"""Keys whose fixed values make an Allow not public."""

_IS = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"})
_IS_NOT = frozenset(
    {"stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike", "notipaddress"}
)
_WAY_OF_ASKING = frozenset(
    {"aws:securetransport", "s3:tlsversion", "s3:signatureversion", "s3:authtype", "s3:signatureage"}
)
"""Keys under which a Deny leaves everybody a way in."""

_WIDENED = {
    # The sessions of one role, whose id is like no other; access points of one account, whatever their names.
    "aws:userid": re.compile(r"ARO[A-Z0-9]+:\*"),
    "s3:dataaccesspointarn": re.compile(r"arn:[a-z-]+:s3:[a-z0-9-]*:[0-9]{12}:accesspoint/[^$]*"),
}
"""Values that AWS takes for fixed in spite of a wildcard."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy comes to; ``None`` where that cannot be told. ``why`` names statements, never a principal."""

    public: bool | None
    tls_only: bool | None
    why: tuple[str, ...]


def judge(policy: str) -> Judgement:
    """What a bucket policy comes to. One that is not understood is neither public nor private."""
    try:
        statements = read(policy)
    except ValueError:
        return Judgement(None, None, ("the policy cannot be understood",))
    denials = [one for one in statements if not one.allows and one.everybody and not _leaves_a_way(one)]
    verdicts, why = set(), []
    for statement in statements:
        if not statement.allows or not statement.everybody or any(map(_holds_to_callers, statement.conditions)):
            continue
        verdict, left = _left(statement, denials)
        verdicts.add(verdict)
        if verdict is not False:
            why.append(_sentence(statement, left, certain=verdict is True))
    public = True if True in verdicts else None if None in verdicts else False
    return Judgement(public, any(map(_insists_on_tls, statements)), tuple(why))


def _holds_to_callers(condition: Condition) -> bool:
    """Whether an Allow under this condition reaches fixed callers only; with ``IfExists`` all who lack the key."""
    return condition.operator.removeprefix("foranyvalue:") in _IS and _names_callers(condition)


def _spares_callers(condition: Condition) -> bool:
    """Whether a Deny under this condition spares fixed callers only."""
    return condition.operator.removesuffix("ifexists") in _IS_NOT and _names_callers(condition)


def _names_callers(condition: Condition) -> bool:
    """Whether all values of a condition are fixed, and say who the caller is."""
    if condition.key not in _CALLER or not condition.values:
        return False
    if condition.operator.removesuffix("ifexists").endswith("ipaddress"):
        return condition.key == "aws:sourceip" and all(map(_narrow, condition.values))
    widened = _WIDENED.get(condition.key)
    return condition.key != "aws:sourceip" and all(
        fixed(value) or (widened is not None and widened.fullmatch(value) is not None) for value in condition.values
    )


def _narrow(addresses: str) -> bool:
    """Whether a range of addresses is no broader than what AWS lets pass for not public: /8, for IPv6 /32."""
    try:
        network = ipaddress.ip_network(addresses, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= (8 if network.version == 4 else 32)


def _leaves_a_way(denial: Statement) -> bool:
    return any(one.key in _WAY_OF_ASKING for one in denial.conditions)


def _left(statement: Statement, denials: Sequence[Statement]) -> tuple[bool | None, list[str]]:
    """Whether a statement for everybody opens something that no Deny takes back, and which actions.

    A Deny takes back an action only if it covers it wholly; one whose conditions cannot be weighed leaves it open
    whether it does.
    """
    over_it = [one for one in denials if _over(one, statement)]
    sure = [one for one in over_it if all(map(_spares_callers, one.conditions)) and not one.but_actions]
    left = [action for action in _exposing(statement) if not _covered(action, sure)]
    if not left:
        return False, []
    return (None if all(_covered(action, over_it) for action in left) else True), left


def _exposing(statement: Statement) -> list[str]:
    """The patterns among a statement's actions that expose what is in the bucket."""
    if statement.but_actions:
        every = [f"{begin}*" for begin in _EXPOSING]
        return [one for one in every if not any(covers(pattern, one) for pattern in statement.actions)]
    return [one for one in statement.actions if any(begins(one, begin) for begin in _EXPOSING)]


def _over(denial: Statement, statement: Statement) -> bool:
    """Whether a Deny reaches every resource of a statement."""
    if denial.but_resources:
        return False
    of_statement = ("*",) if statement.but_resources else statement.resources
    return all(any(covers(wide, one) for wide in denial.resources) for one in of_statement)


def _covered(action: str, denials: Iterable[Statement]) -> bool:
    return any(one.but_actions or any(covers(wide, action) for wide in one.actions) for one in denials)


def _insists_on_tls(statement: Statement) -> bool:
    """Whether a statement refuses all that does not come by TLS."""
    if statement.allows or not statement.everybody or statement.but_actions or statement.but_resources:
        return False
    if len(statement.conditions) != 1 or statement.conditions[0].key != "aws:securetransport":
        return False
    (condition,) = statement.conditions
    if condition.operator not in ("bool", "boolifexists") or [one.lower() for one in condition.values] != ["false"]:
        return False
    paths = [_path(one) for one in statement.resources]
    bucket = any(path == "*" or "/" not in path for path in paths)
    objects = any(path == "*" or path.partition("/")[2] == "*" for path in paths)
    return bucket and objects and any(covers(action, "s3:*") for action in statement.actions)


def _sentence(statement: Statement, actions: list[str], certain: bool) -> str:
    """What a statement opens, in words."""
    does = [word for word, told in _DOES.items() if any(covers(action, one) for action in actions for one in told)]
    what = ", ".join(does) or "ask for settings"
    keys = sorted({_path(one).partition("/")[2] for one in statement.resources})
    if not statement.but_resources and all(key not in ("", "*") for key in keys):
        what += f" of {', '.join(keys[:3])}{' and more' if keys[3:] else ''}"
    if under := ", ".join(sorted({one.key for one in statement.conditions})):
        what += f" under conditions on {under}"
    doubt = "" if certain else ", unless a Deny takes it back whose conditions cannot be weighed"
    return f"statement {statement.name} lets everybody {what}{doubt}"


def _path(resource: str) -> str:
    """Bucket and key pattern of an ARN."""
    return resource.split(":", 5)[-1]
