"""What can go wrong with items."""

from stead.core.errors import Invalid


class ItemInvalid(Invalid):
    """The item, or what is asked about items, is not valid."""

    code = "item_invalid"
