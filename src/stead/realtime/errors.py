"""What can be wrong with a subscription or a message to a channel."""

from stead.core.errors import Forbidden, Invalid, NotFound, RateLimited


class TableNotPublished(NotFound):
    """There are no changes of such a table to follow."""

    code = "table_not_published"


class FilterInvalid(Invalid):
    """The filter is not valid."""

    code = "filter_invalid"


class SubscriptionInvalid(Invalid):
    """The subscription does not have the form that is documented."""

    code = "subscription_invalid"


class TooManySubscriptions(RateLimited):
    """This identity follows as much here as it may."""

    code = "too_many_subscriptions"


class PositionInvalid(Invalid):
    """The id to go on from is none that was given out here."""

    code = "position_invalid"
    status = 400


class ChannelForbidden(Forbidden):
    """This identity may not use that channel."""

    code = "channel_forbidden"


class MessageInvalid(Invalid):
    """The message to the channel is not valid."""

    code = "channel_message_invalid"
