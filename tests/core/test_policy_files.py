"""A policy file is taken over key by key, or refused in one line that names file, key and reason."""

import pytest
from msgspec.structs import replace

from dispatch.core.policy import (
    BOUNDS,
    Policies,
    Policy,
    PolicyError,
    Rung,
    Wave,
    digest,
    override,
    parse_all,
    shipped,
)

WHOLE = """
[drowning]
priority = 1
wanted = 2
waves = [{ after_s = 0, alerts = 7 }]
alerts_max = 30
reach_s = 480
answer_within_s = 45
better_by_s = 60
ladder = [{ channel = "websocket", after_s = 0 }]
"""


def laid_over(text: str) -> Policies:
    return override(text, file="mine.toml")


def refusal(text: str) -> str:
    with pytest.raises(PolicyError) as error:
        laid_over(text)
    return str(error.value)


def test_an_empty_file_changes_nothing() -> None:
    assert laid_over("") == shipped()


def test_one_key_of_one_kind() -> None:
    policies = laid_over("[trauma]\nwanted = 4")
    assert policies["trauma"] == replace(shipped()["trauma"], wanted=4)
    assert {kind: policies[kind] for kind in policies if kind != "trauma"} == {
        kind: policy for kind, policy in shipped().items() if kind != "trauma"
    }


def test_a_key_for_all_and_the_kinds_own_beats_it() -> None:
    policies = laid_over("[all]\nasks_max = 5\n[choking]\nasks_max = 2")
    assert {kind: policy.asks_max for kind, policy in policies.items() if kind != "choking"} == dict.fromkeys(
        set(shipped()) - {"choking"}, 5
    )
    assert policies["choking"].asks_max == 2


def test_a_list_is_replaced_whole() -> None:
    policies = laid_over("[trauma]\nwaves = [{ after_s = 0, alerts = 9 }]")
    assert policies["trauma"].waves == (Wave(0, 9),)


def test_a_new_kind_has_to_be_whole() -> None:
    policy = laid_over(WHOLE)["drowning"]
    assert (policy.wanted, policy.ladder, policy.near_m) == (2, (Rung("websocket", 0),), 100)
    without = "\n".join(line for line in WHOLE.splitlines() if not line.startswith("reach_s"))
    assert refusal(without) == "mine.toml: drowning.reach_s: is missing"


def test_a_whole_file_by_itself() -> None:
    with pytest.raises(PolicyError, match=r"^alone\.toml: drowning\.replace: is missing$"):
        parse_all(WHOLE, file="alone.toml")


REFUSED = {
    "[trauma]\nwantd = 1": "mine.toml: trauma.wantd: unknown key; did you mean 'wanted'?",
    "[all]\nzzz = 1": "mine.toml: all.zzz: unknown key",
    "wanted = 1": "mine.toml: wanted: stands outside any kind; put it below [all] or [KIND]",
    '[trauma]\nwanted = "3"': "mine.toml: trauma.wanted: expected `int`, got `str`",
    "[trauma]\nwanted = true": "mine.toml: trauma.wanted: expected `int`, got `bool`",
    "[trauma]\nreplace = 1": "mine.toml: trauma.replace: expected `bool`, got `int`",
    "[trauma]\nreach_s = 1.5": "mine.toml: trauma.reach_s: expected `int`, got `float`",
    "[trauma]\nskills_any = [1]": "mine.toml: trauma.skills_any[0]: expected `str`, got `int`",
    "[trauma]\nwaves = [{ after_s = 0 }]": "mine.toml: trauma.waves[0]: object missing",
    "[trauma]\noverdue_factor = nan": "mine.toml: trauma.overdue_factor: nan is not within 0..100",
    '[all]\nskills_any = ["nurse", "First Aid"]': "mine.toml: cardiac_arrest.skills_any: a skill is a word",
    '[trauma]\nskills_any = [""]': "mine.toml: trauma.skills_any: a skill is a word",
    "[trauma": "mine.toml: not TOML: ",
    "wanted = " + 5000 * "[": "mine.toml: not TOML: ",
    "wanted = " + 5000 * "9": "mine.toml: not TOML: ",
    "[Trauma]\nwanted = 1": "mine.toml: Trauma: a kind is a word of at most 40 small letters, digits and '_'",
    '[trauma]\n"a\\nb" = 1': "mine.toml: trauma.a b: unknown key",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:60])
def test_refused_in_one_line_that_says_why(text: str) -> None:
    told = refusal(text)
    assert told.startswith(REFUSED[text])
    assert "\n" not in told


@pytest.mark.parametrize("key", BOUNDS)
def test_each_number_has_bounds(key: str) -> None:
    low, high = BOUNDS[key]
    for value in (low, high):
        if key not in ("answer_within_s", "look_s_max"):  # the ladder and the waves have to fit in
            assert getattr(laid_over(f"[trauma]\n{key} = {value}")["trauma"], key) == value
    for value in (low - 1, high + 1, -1, 10**30):
        assert refusal(f"[trauma]\n{key} = {value}").startswith(f"mine.toml: trauma.{key}: ")


def test_every_number_is_bounded() -> None:
    numbers = {name for name, kind in Policy.__annotations__.items() if kind in (int, float)}
    assert numbers == set(BOUNDS)


WAVES = [
    "[]",
    "[{ after_s = 5, alerts = 1 }]",
    "[{ after_s = 0, alerts = 0 }]",
    "[{ after_s = -1, alerts = 1 }]",
]
WAVES += [
    f"[{{ after_s = 0, alerts = 1 }}, {{ after_s = {after_s}, alerts = 1 }}]" for after_s in (0, -5, 1801)
]
LADDERS = ["[]", '[{ channel = "fax", after_s = 0 }]', '[{ channel = "sms", after_s = 5 }]']
LADDERS += [
    f'[{{ channel = "websocket", after_s = 0 }}, {{ channel = "{channel}", after_s = {after_s} }}]'
    for channel, after_s in (("websocket", 5), ("sms", -1), ("sms", 91))
]


@pytest.mark.parametrize("waves", WAVES)
def test_waves_that_make_no_sense(waves: str) -> None:
    assert refusal(f"[trauma]\nwaves = {waves}").startswith("mine.toml: trauma.waves: ")


@pytest.mark.parametrize("ladder", LADDERS)
def test_ladders_that_make_no_sense(ladder: str) -> None:
    assert refusal(f"[trauma]\nladder = {ladder}").startswith("mine.toml: trauma.ladder: ")


def test_what_lies_on_a_bound_is_taken() -> None:
    policy = laid_over("""
        [trauma]
        look_s_max = 600
        answer_within_s = 90
        waves = [{ after_s = 0, alerts = 1 }, { after_s = 600, alerts = 1000 }]
        ladder = [
            { channel = "websocket", after_s = 0 }, { channel = "webpush", after_s = 0 },
            { channel = "sms", after_s = 20 }, { channel = "voice", after_s = 90 },
        ]
        skills_any = ["a", "first_aid", "x234567890123456789012345678901234567890"]
    """)["trauma"]
    assert policy.waves == (Wave(0, 1), Wave(600, 1000))
    assert [rung.after_s for rung in policy.ladder] == [0, 0, 20, 90]


@pytest.mark.parametrize("skill", ["", "x" * 41, "Nurse", "infirmière", "first-aid"])
def test_a_skill_is_a_word(skill: str) -> None:
    assert "skills_any" in refusal(f'[trauma]\nskills_any = ["{skill}"]')


def test_the_content_hash_is_of_the_content() -> None:
    policy = shipped()["trauma"]
    assert digest(policy) == digest(replace(policy))
    assert digest(policy) == digest(laid_over("[trauma]\nwanted = 1")["trauma"])
    for key in Policy.__struct_fields__:
        value = getattr(policy, key)
        other = value * 2 if isinstance(value, tuple) and value else ("x",)
        changed = (
            not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else other
        )
        assert digest(replace(policy, **{key: changed})) != digest(policy), key


def test_the_content_hash_is_stable() -> None:
    """Incidents keep their policy by it: it may change with the keys that there are, never by itself."""
    assert digest(shipped()["trauma"]) == "c498402aee0e77bdb1918e738e1c591d"
