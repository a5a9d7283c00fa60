"""What can go wrong in the marketplace."""

from stead.core.errors import Invalid, NotFound


class CandidatesUnknown(NotFound):
    """No agent of that description is to be hired here."""

    code = "candidates_unknown"


class FitWeightsInvalid(Invalid):
    """These weights give no score."""

    code = "fit_weights_invalid"


class HirerUnknown(NotFound):
    """There is no such person or session for whom this could be done."""

    code = "hirer_unknown"


class WaitlistEntryUnknown(NotFound):
    """There is no such entry on the waitlist."""

    code = "waitlist_entry_unknown"


class LegacyTableUnknown(Invalid):
    """A table that holds deprecated rows has not the form that can be moved."""

    code = "legacy_table_unknown"
