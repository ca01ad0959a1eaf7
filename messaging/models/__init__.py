"""Tables of the messages, one file a noun."""

from messaging.models.call_task import CallTask
from messaging.models.campaign import Campaign, Exclusion, SavedFilter
from messaging.models.gateway import AllowedAddress, Gateway, GatewayHealth, HookCall, NumberOverride, Route
from messaging.models.incoming import Consent, IncomingMessage, OptOut
from messaging.models.message import Attempt, AttemptResult, Message, Receipt, Tally
from messaging.models.practice import SendingPractice
from messaging.models.quota import Quota, QuotaEntry, QuotaLoan, QuotaWarning
from messaging.models.template import SmsTemplate

__all__ = [
    "AllowedAddress",
    "Attempt",
    "AttemptResult",
    "CallTask",
    "Campaign",
    "Consent",
    "Exclusion",
    "Gateway",
    "GatewayHealth",
    "HookCall",
    "IncomingMessage",
    "Message",
    "NumberOverride",
    "OptOut",
    "Quota",
    "QuotaEntry",
    "QuotaLoan",
    "QuotaWarning",
    "Receipt",
    "Route",
    "SavedFilter",
    "SendingPractice",
    "SmsTemplate",
    "Tally",
]
