"""Which kind of incident a call's title is: `EMS: CARDIAC ARREST`, `Traffic: VEHICLE ACCIDENT -`, `choking`.

Good enough for a replay, and no triage: a control room reports a kind or a code of its own.
"""

KINDS = ("cardiac_arrest", "unconscious", "choking", "traffic_accident", "trauma", "other")

WORDS = (
    ("cardiac_arrest", ("cardiac arrest", "respiratory arrest")),
    ("choking", ("choking",)),
    ("traffic_accident", ("vehicle accident", "traffic accident", "collision", "crash")),
    ("unconscious", ("unconscious", "unresponsive", "syncopal", "seizure")),
    (
        "trauma",
        (
            "fall victim",
            "injury",
            "fracture",
            "laceration",
            "hemorrhag",
            "assault",
            "burn",
            "bite",
            "shooting",
            "stabbing",
        ),
    ),
)
"""The first kind one of whose words is in the title; otherwise a medical call is `other`."""

MEDICAL_SERVICES = ("ems", "medical", "ambulance")
ROAD_SERVICES = ("traffic",)


def kind_of_title(title: str) -> str | None:
    """The kind, or None when no medic is needed.

    A service before a colon decides first: of a road service's calls only accidents count, of a fire
    brigade's or police's none. A title without a service is taken for medical, so an unknown one is `other`;
    an empty one is refused with `ValueError`.
    """
    text = title.strip().lower()
    if not text:
        raise ValueError("no title")
    if text.replace(" ", "_") in KINDS:
        return text.replace(" ", "_")
    service, colon, _ = text.partition(":")
    kind = next((kind for kind, words in WORDS if any(word in text for word in words)), "other")
    if not colon or service.strip() in MEDICAL_SERVICES:
        return kind
    return kind if service.strip() in ROAD_SERVICES and kind == "traffic_accident" else None
