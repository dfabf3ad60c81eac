"""What several people's answers to one petition add up to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from training.label.claims import ACCEPTED, CORRECTED, Claim, settle

claims = st.builds(
    Claim, st.sampled_from(["category", "tier"]), st.sampled_from("abc"), st.sampled_from([ACCEPTED, CORRECTED]),
    st.sampled_from(["", "甲", "乙"]),
)  # fmt: skip


def claim(code: str, source: str, operator: str = "") -> Claim:
    return Claim("category", code, source, operator)


def test_the_latest_of_one_operator_counts() -> None:
    settled = settle([claim("a", CORRECTED, "甲"), claim("b", CORRECTED, "甲")])
    assert (settled.labels, settled.source, settled.operator) == ({"category": "b"}, "corrected", "甲")


def test_two_operators_with_different_codes_are_kept_apart() -> None:
    settled = settle([claim("a", CORRECTED, "甲"), claim("b", CORRECTED, "乙")])
    assert settled.labels == {}
    found = settled.disagreements("P1", "f 第 3 行")
    assert [(each.task, each.codes) for each in found] == [("category", (("甲", "a"), ("乙", "b")))]


def test_who_gives_no_name_is_taken_for_somebody_else() -> None:
    assert settle([claim("a", CORRECTED), claim("b", CORRECTED)]).labels == {}
    assert settle([claim("a", CORRECTED), claim("a", CORRECTED)]).labels == {"category": "a"}


def test_a_correction_overrules_what_was_accepted_before_it_and_not_after() -> None:
    assert settle([claim("a", ACCEPTED, "甲"), claim("b", CORRECTED, "乙")]).labels == {"category": "b"}
    assert settle([claim("b", CORRECTED, "乙"), claim("a", ACCEPTED, "甲")]).labels == {}


@given(st.lists(claims, max_size=8))
def test_a_task_is_held_or_disputed_and_never_invented(given_claims: list[Claim]) -> None:
    settled = settle(given_claims)
    assert set(settled.claims) | set(settled.disputed) == {each.task for each in given_claims}
    assert not set(settled.claims) & set(settled.disputed)
    for task, held in settled.claims.items():
        assert held in given_claims
        named = [each for each in given_claims if each.task == task and each.operator == held.operator != ""]
        assert not named or named[-1].code == held.code
    for disputed in settled.disputed.values():
        assert len({each.code for each in disputed}) > 1
