"""What the REST layer answers of chains: shapes only. Tables 3 and 4 keep their field names."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from chains.models import (
    Blockchain,
    BusinessChain,
    ChainState,
    Createmode,
    Node,
    NodeState,
    Period,
    TransactionDetails,
    TransactionStatus,
)
from chains.reads import LENGTH, SHOWN_PERIODS, gaps, standing_of
from console.api.serializers import ToldField
from platforms.models import Cloudtype
from platforms.observing import Management
from unions.api.serializers import MANAGEMENT

MAX_PERIODS = 1000
READ_AT = _("When the figures were read from the platform; null: never so far.")
STALE = _("True when the figures are older than they should be.")
STANDS_SINCE = _(
    "When the newest block was made, where the chain makes blocks by the clock and more should have come since; null: "
    "it goes on, or makes blocks only when there is something to put into them."
)


class BlockchainAnswer(serializers.Serializer[Blockchain]):
    """Table 4, a blockchain, and its head as it was read last."""

    id = serializers.CharField(source="uid")
    externalid = serializers.CharField(source="external_id", help_text=_("Its id on the platform."))
    extrainfo = serializers.CharField(help_text=_("What is special to the kernel, as JSON text."))
    name = serializers.CharField()
    cloudtype = serializers.ChoiceField(choices=Cloudtype.choices)
    orgs = serializers.SerializerMethodField()
    infraspec = serializers.SerializerMethodField(help_text=_("Physical resources: nodes by organization."))
    blockspec = serializers.SerializerMethodField(help_text=_("Configuration, such as the consensus algorithm."))
    state = serializers.ChoiceField(choices=ChainState.choices)
    height = serializers.IntegerField(allow_null=True)
    block_hash = serializers.CharField()
    block_time = serializers.DateTimeField(allow_null=True)
    transactions = serializers.IntegerField(source="transactions_total", allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True, help_text=READ_AT)
    missing_since = serializers.DateTimeField(
        allow_null=True, help_text=_("Since when the platform says that there is no such chain.")
    )
    read_error = ToldField(help_text=_("Why the last reading failed; empty when it did not."))
    stale = serializers.BooleanField(source="is_stale", help_text=STALE)
    stands_since = serializers.DateTimeField(allow_null=True, help_text=STANDS_SINCE)

    def get_orgs(self, row: Blockchain) -> list[str]:
        return [organization.orgcode for organization in row.organizations.all()]

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_infraspec(self, row: Blockchain) -> Any:
        return row.infraspec

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_blockspec(self, row: Blockchain) -> Any:
        return row.blockspec


class BlockchainDetailAnswer(BlockchainAnswer):
    """A blockchain by itself, with what it belongs to."""

    chain = serializers.CharField(source="business_chain.uid", help_text=_("Id of its business chain."))
    unionid = serializers.CharField(source="business_chain.union.unionid", default=None, allow_null=True)
    oemtype = serializers.CharField(source="business_chain.platform.oemtype")
    creatororg = serializers.CharField(source="business_chain.creator.orgcode")
    management = serializers.ChoiceField(
        source="business_chain.management", choices=Management.choices, help_text=MANAGEMENT
    )


class BusinessChainAnswer(serializers.Serializer[BusinessChain]):
    """Table 3, a business chain."""

    id = serializers.CharField(source="uid")
    unionid = serializers.CharField(source="union.unionid", default=None, allow_null=True)
    creatororg = serializers.CharField(source="creator.orgcode")
    name = serializers.CharField()
    oemtype = serializers.CharField(source="platform.oemtype")
    orgs = serializers.SerializerMethodField()
    createmode = serializers.ChoiceField(choices=Createmode.choices)
    state = serializers.ChoiceField(choices=ChainState.choices)
    management = serializers.ChoiceField(choices=Management.choices, help_text=MANAGEMENT)
    created_at = serializers.DateTimeField()
    blockchain = BlockchainAnswer(source="blockchains", many=True)

    def get_orgs(self, row: BusinessChain) -> list[str]:
        return [organization.orgcode for organization in row.organizations.all()]


class NodeAnswer(serializers.Serializer[Node]):
    """A node of a blockchain."""

    id = serializers.CharField()
    externalid = serializers.CharField(source="external_id", help_text=_("Its id on the platform."))
    orgcode = serializers.CharField(
        source="organization.orgcode", default=None, allow_null=True, help_text=_("Null: the platform's own.")
    )
    blockchain = serializers.CharField(source="blockchain.uid")
    role = serializers.CharField()
    endpoint = serializers.CharField()
    state = serializers.ChoiceField(choices=NodeState.choices)
    version = serializers.CharField()
    read_at = serializers.DateTimeField()


class StandingAnswer(serializers.Serializer[Any]):
    """How far the ledger is known, and when that was read."""

    height = serializers.IntegerField(allow_null=True, help_text=_("The head that the platform reported last."))
    indexed_from = serializers.IntegerField(
        allow_null=True, help_text=_("The lowest block that is kept; null: none so far.")
    )
    indexed_up_to = serializers.IntegerField(
        allow_null=True, help_text=_("Blocks and transactions up to here can be listed and searched.")
    )
    behind = serializers.IntegerField(
        allow_null=True, help_text=_("Blocks between that and the platform's head; null: the head is not known.")
    )
    read_at = serializers.DateTimeField(allow_null=True, help_text=READ_AT)
    stale = serializers.BooleanField(help_text=STALE)


class GapAnswer(serializers.Serializer[Any]):
    """Blocks that the platform did not show when they were asked for."""

    from_height = serializers.IntegerField()
    to_height = serializers.IntegerField()


class LedgerAnswer(serializers.Serializer[Blockchain]):
    """The ledger's head and how fresh that is."""

    blockchain = serializers.CharField(source="uid")
    height = serializers.IntegerField(allow_null=True)
    block_hash = serializers.CharField()
    block_time = serializers.DateTimeField(allow_null=True)
    transactions = serializers.IntegerField(source="transactions_total", allow_null=True)
    nodes = serializers.IntegerField(source="nodes_total", default=0)
    indexed_height = serializers.IntegerField(allow_null=True, help_text=_("The same as `indexed_up_to`."))
    indexed_from = serializers.IntegerField(
        allow_null=True, help_text=_("The lowest block that is kept; null: none so far.")
    )
    indexed_up_to = serializers.IntegerField(
        source="indexed_height",
        allow_null=True,
        help_text=_("Blocks and transactions up to here can be listed and searched."),
    )
    behind = serializers.SerializerMethodField(
        help_text=_("Blocks between that and the platform's head; null: the head is not known.")
    )
    read_at = serializers.DateTimeField(allow_null=True, help_text=READ_AT)
    read_error = ToldField()
    stale = serializers.BooleanField(source="is_stale", help_text=STALE)
    stands_since = serializers.DateTimeField(allow_null=True, help_text=STANDS_SINCE)

    gaps = serializers.SerializerMethodField(
        help_text=_("The newest stretches of blocks that the platform did not show.")
    )

    def get_behind(self, row: Blockchain) -> int | None:
        return standing_of(row).behind

    @extend_schema_field(GapAnswer(many=True))
    def get_gaps(self, row: Blockchain) -> Any:
        return GapAnswer(gaps(row), many=True).data


class BlockAnswer(serializers.Serializer[Any]):
    height = serializers.IntegerField()
    hash = serializers.CharField()
    parent_hash = serializers.CharField()
    time = serializers.DateTimeField(allow_null=True)
    transactions = serializers.IntegerField(source="transactions_count")


class BlockDetailAnswer(BlockAnswer):
    """A block, and how far and how fresh the ledger is known that it is on."""

    ledger = StandingAnswer()


class TransactionAnswer(serializers.Serializer[Any]):
    hash = serializers.CharField()
    height = serializers.IntegerField(help_text=_("Height of its block."))
    index = serializers.IntegerField(help_text=_("Its place in the block."))
    time = serializers.DateTimeField(allow_null=True)
    status = serializers.ChoiceField(choices=TransactionStatus.choices)
    sender = serializers.CharField()
    to = serializers.CharField(source="recipient")
    value = serializers.CharField()
    contract = serializers.CharField(help_text=_("Address of the contract that it made; empty when it made none."))
    details = serializers.ChoiceField(
        choices=TransactionDetails.choices,
        help_text=_("Whether value, input and nonce have been read, or are left for later and empty."),
    )


class ArgumentAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField()
    value = serializers.JSONField(help_text=_("Whole numbers as decimal text, bytes as 0x…"))  # type: ignore[assignment]


class CallAnswer(serializers.Serializer[Any]):
    """A call in the words of its contract's ABI."""

    contract = serializers.CharField(help_text=_("Id of the contract."))
    contract_name = serializers.CharField()
    name = serializers.CharField()
    signature = serializers.CharField()
    arguments = ArgumentAnswer(many=True)


@extend_schema_serializer(component_name="ContractEventAnswer")
class EventAnswer(serializers.Serializer[Any]):
    """A log in the words of its contract's ABI."""

    contract = serializers.CharField(source="contract.uid")
    contract_name = serializers.CharField(source="contract.name")
    name = serializers.CharField(source="event.name")
    signature = serializers.CharField(source="event.signature")
    arguments = ArgumentAnswer(source="event.arguments", many=True)


class LogAnswer(serializers.Serializer[Any]):
    """What a contract told, raw, and in words where its ABI is known."""

    address = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())
    data = serializers.CharField()
    event = serializers.SerializerMethodField()

    @extend_schema_field(EventAnswer(allow_null=True))
    def get_event(self, log: Any) -> Any:
        return EventAnswer(log).data if log.event is not None else None


class DeployedAnswer(serializers.Serializer[Any]):
    """A version of a contract."""

    contract = serializers.CharField(source="contract.uid")
    contract_name = serializers.CharField(source="contract.name")
    version = serializers.IntegerField(source="number")


class TransactionDetailAnswer(TransactionAnswer):
    """A transaction with what it carries."""

    blockchain = serializers.CharField(source="blockchain.uid")
    input = serializers.CharField()
    extrainfo = serializers.CharField()
    ledger = StandingAnswer()
    call = CallAnswer(allow_null=True, help_text=_("The input in words; null where the contract's ABI is not known."))
    deployed = DeployedAnswer(allow_null=True, help_text=_("The contract that it made, where it is known here."))
    logs = LogAnswer(
        many=True, allow_null=True, help_text=_("What contracts told while it ran; null: the platform did not say.")
    )


class StatisticAnswer(serializers.Serializer[Any]):
    """An hour or a day of UTC. It stays when its blocks are kept no longer."""

    start = serializers.DateTimeField()
    blocks = serializers.IntegerField()
    transactions = serializers.IntegerField()
    failed = serializers.IntegerField(help_text=_("Those of the transactions that failed."))
    senders = serializers.IntegerField(
        allow_null=True,
        help_text=_("Different senders; null: not counted (not over yet, too many, or not kept any more)."),
    )
    from_height = serializers.IntegerField()
    to_height = serializers.IntegerField()


class StatisticsAnswer(serializers.Serializer[Any]):
    """What happened, period by period, the earliest first; periods without a block are left out."""

    blockchain = serializers.CharField()
    period = serializers.ChoiceField(choices=Period.choices)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    counted_up_to = serializers.IntegerField(allow_null=True, help_text=_("Blocks up to here are in the figures."))
    counted_at = serializers.DateTimeField(allow_null=True)
    ledger = StandingAnswer()
    results = StatisticAnswer(many=True)


class StatisticsQuery(serializers.Serializer[Any]):
    """Hours or days, and of which time."""

    period = serializers.ChoiceField(choices=Period.choices, default=Period.HOUR)
    since = serializers.DateTimeField(
        required=False, help_text=_("Periods that begin at this time or later; as a rule the last 48 hours or 60 days.")
    )
    until = serializers.DateTimeField(required=False, help_text=_("Periods that begin before this time."))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The time asked for, no longer than can be answered at once."""
        step = LENGTH[attrs["period"]]
        until = attrs.get("until") or timezone.now()
        since = attrs.get("since") or until - step * SHOWN_PERIODS[attrs["period"]]
        if until - since > step * MAX_PERIODS:
            words = _("At most %(most)s hours or days are answered at once.") % {"most": MAX_PERIODS}
            raise serializers.ValidationError({"since": words})
        return attrs | {"since": since, "until": until}


class ReorganisationAnswer(serializers.Serializer[Any]):
    """Stored blocks that turned out not to be the chain's any more."""

    id = serializers.IntegerField(source="pk")
    found_at = serializers.DateTimeField()
    from_height = serializers.IntegerField(help_text=_("The first block that was replaced."))
    to_height = serializers.IntegerField(help_text=_("The last one that had been stored."))
    blocks = serializers.IntegerField()
    transactions = serializers.IntegerField(help_text=_("In these blocks; most are in others again soon."))
    old_head = serializers.CharField(help_text=_("Hash of the last block of the branch that the chain has left."))


class RetentionAnswer(serializers.Serializer[Any]):
    """How much of a ledger is kept."""

    keep_blocks = serializers.IntegerField(help_text=_("So many of the newest blocks; 0: all."))
    keep_days = serializers.IntegerField(help_text=_("No block older than so many days; 0: of any age."))
    source = serializers.ChoiceField(
        choices=["chain", "console", "setting"],
        help_text=_("Whose rule it is: the chain's own, the console's, or the setting KEEP_BLOCKS."),
    )


class RetentionRequest(serializers.Serializer[Any]):
    """A rule; where stored blocks go by it, that has to be confirmed."""

    keep_blocks = serializers.IntegerField(min_value=0, default=0, help_text=_("So many of the newest blocks; 0: all."))
    keep_days = serializers.IntegerField(
        min_value=0, default=0, help_text=_("No block older than so many days; 0: of any age.")
    )
    confirmed = serializers.BooleanField(default=False, help_text=_("That stored blocks go by this rule for good."))


class PointAnswer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    value = serializers.FloatField()


class SeriesAnswer(serializers.Serializer[Any]):
    """One figure over time."""

    name = serializers.CharField()
    unit = serializers.CharField()
    points = PointAnswer(many=True)


class MonitoringAnswer(serializers.Serializer[Any]):
    """Figures of the platform's monitoring, and those that the ledger gives."""

    blockchain = serializers.CharField()
    read_at = serializers.DateTimeField(allow_null=True, help_text=READ_AT)
    since = serializers.DateTimeField()
    series = SeriesAnswer(many=True)


class MonitoringQuery(serializers.Serializer[Any]):
    """How far back, and which figure."""

    minutes = serializers.IntegerField(min_value=1, max_value=4320, default=60, help_text=_("How far back."))
    name = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=60, help_text=_("Only this figure.")
    )
