"""OpenAI's models, and whatever speaks either of its two APIs.

The official client sends, authenticates, and knows every failure; the Agents SDK speaks both APIs. What is done
here otherwise is how a stream is decoded: what arrived together is passed on together, and an event is matched
against the one type that it names instead of against all there are.
"""

from stead.providers.models.openai.client import StreamingClient
from stead.providers.models.openai.models import ChatCompletionsModel, ResponsesModel

__all__ = ["ChatCompletionsModel", "ResponsesModel", "StreamingClient"]
