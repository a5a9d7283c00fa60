"""Which words name what somebody does for a living: "I'm a nurse" against "I'm a mother"."""

from __future__ import annotations

import re
from typing import Final

from stead.memory.facts.words import word_set

_OCCUPATIONS: Final = word_set(
    "accountant actor actress actuary administrator agent agronomist analyst anaesthetist "
    "animator architect "
    "archivist artist assistant astronomer attorney auditor author baker banker barber barista "
    "bartender "
    "beautician biologist blogger bookkeeper botanist bricklayer broker builder butcher carer "
    "carpenter cashier "
    "chauffeur chef chemist chiropractor cleaner clerk coach composer consultant contractor "
    "cook copywriter "
    "counsellor courier curator dancer decorator dentist designer developer dietitian director "
    "doctor driver "
    "economist editor electrician engineer estimator farmer firefighter fisherman fitter "
    "florist founder "
    "gardener geologist goldsmith guard hairdresser historian illustrator instructor "
    "interpreter investor "
    "janitor jeweller joiner journalist judge labourer landscaper lawyer lecturer librarian "
    "lifeguard locksmith "
    "lorry-driver machinist maker manager marketer mason mathematician mechanic midwife miner "
    "minister model "
    "musician nanny neurologist novelist nurse nutritionist officer operator optician "
    "optometrist painter "
    "paralegal paramedic pastor pathologist pharmacist photographer physician physicist "
    "physiotherapist pianist "
    "pilot plasterer plumber podiatrist poet policeman policewoman porter postman potter "
    "priest principal "
    "producer professor programmer psychiatrist psychologist publisher radiographer "
    "radiologist realtor "
    "receptionist recruiter reporter researcher roofer sailor salesman saleswoman salesperson "
    "scientist sculptor "
    "seamstress secretary shopkeeper singer social-worker soldier solicitor statistician "
    "steward stylist surgeon "
    "surveyor tailor tattooist teacher technician technologist tester therapist trader trainer "
    "translator "
    "tutor undertaker upholsterer veterinarian vet videographer violinist waiter waitress "
    "warden watchmaker "
    "welder writer zoologist freelancer cto ceo cfo coo entrepreneur tattooer sysadmin sre "
    "programmer retiree "
    "worker planner buyer merchant strategist specialist supervisor superintendent technician"
)
_MODIFIED: Final = word_set("student apprentice intern trainee owner")
_NOT_BY_ITSELF: Final = word_set(
    "administrator agent officer operator assistant maker model minister worker"
)
_NO_TRADE: Final = re.compile(
    r"\b(?:good|bad|great|terrible|home|amateur|hobby|aspiring|former|ex|wannabe|decent|"
    r"keen|slow|fast)\b"
)


def is_occupation(text: str) -> bool:
    """Whether a noun phrase names an occupation by its last word.

    Args:
        text: In lower case, without article.
    """
    words = text.split()
    if not words or len(words) > 6 or _NO_TRADE.search(text):
        return False
    last = words[-1]
    if last in _MODIFIED or last in _NOT_BY_ITSELF:
        return len(words) > 1
    return last in _OCCUPATIONS
