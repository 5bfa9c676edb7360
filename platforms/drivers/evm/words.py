"""What this driver says of nodes and votes: sentences that every process has to know, without the engine's library."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from console.sentences import kept

NOT_UP = kept(gettext_noop("The node %(node)s does not answer within %(seconds)s s."))
NO_KEY = kept(gettext_noop("The keys could not be made on %(host)s: %(problem)s"))
NOT_SYNCED = kept(gettext_noop("The node %(node)s does not catch up with the chain: it is at block %(height)s."))
NO_VOTE = kept(
    gettext_noop("The validators did not get done with the vote on %(node)s: the chain stands at block %(height)s.")
)
NO_MAJORITY = kept(
    gettext_noop(
        "Only %(voted)s of %(all)s validators could be asked to vote on %(node)s, and %(needed)s are needed."
        " See to the hosts that do not answer."
    )
)
UNKNOWN = kept(gettext_noop("The kernel %(kernel)s does not know the consensus “%(consensus)s”, only %(known)s."))
NO_PERIOD = kept(gettext_noop("“period”, the seconds between two blocks, is to be a whole number from 1 to %(most)s."))
NO_CONSENSUS = gettext_noop("“consensus” is to be the name of one.")
CANNOT_FORGET = gettext_noop(
    "A chain cannot forget a contract: the console strikes it from its own book and passes on nothing to it any more."
)
NO_SENDER = gettext_noop("Nobody is named on whose behalf the transaction is sent.")
NO_CONTRACT_MADE = kept(gettext_noop("The transaction %(id)s has made no contract."))
NO_RECEIPT = kept(gettext_noop("The chain did not take the transaction %(id)s into a block within %(seconds)s s."))
REVERTED = kept(gettext_noop("The transaction %(id)s is in a block and was reverted by the contract."))
UNKNOWN_INSTRUCTION = kept(
    gettext_noop(
        "The code was compiled for a newer EVM than the chain's, which is that of %(machine)s (%(problem)s). Compile "
        "it for that one."
    )
)
ACCOUNT_BUSY = kept(gettext_noop("The account %(account)s is sending other transactions."))
ONE_NODE_ONE_CHAIN = gettext_noop("A node of this kernel serves one chain: every chain has nodes of its own.")
NO_TENANTS = gettext_noop("There are no tenants here: organizations bring machines of their own.")
ON_PREM_ONLY = kept(gettext_noop("%(name)s has no machines of its own; this platform builds on nothing else."))
NOT_IN = kept(gettext_noop("%(name)s has no node on the chain %(chain)s yet."))
NO_NODE = kept(gettext_noop("There is no node %(id)s on this chain."))
SEALS = gettext_noop("This node seals blocks: it goes when its organization quits the chain, by the others' votes.")
FOUNDER_STAYS = gettext_noop("The network's last member cannot quit it; delete the network instead.")
NODE_DIED = kept(gettext_noop("The node %(node)s on %(host)s does not stay up: %(problem)s"))
NOT_THEIRS = kept(gettext_noop("The machine %(host)s is not the organization's any more."))
BAD_SCRIPT = kept(gettext_noop("The node %(node)s answered to the console's question with: %(problem)s"))
NO_TRANSACTION = kept(gettext_noop("There is no transaction %(id)s on this chain."))
HOSTS_SILENT = kept(gettext_noop("%(silent)s of %(all)s hosts do not answer: %(problem)s"))
LAST_ONE = kept(
    gettext_noop("The node %(node)s is the last one that seals blocks. Delete the chain instead of leaving it.")
)
NOBODY_ANSWERS = kept(gettext_noop("No node of the chain %(chain)s answers: %(problem)s"))
NO_NODES = gettext_noop("it has none yet")
NOT_ANSWERED = kept(gettext_noop("The node %(node)s answered nonsense to %(method)s."))
NOT_THIS_FORM = kept(gettext_noop("A node answered about the ledger in a form that is not understood: %(problem)s"))
NOT_FORMED = kept(gettext_noop("The node %(node)s answered %(method)s in a form that is not understood: %(problem)s"))
NODE_REFUSED = kept(gettext_noop("The node %(node)s refused %(method)s: %(problem)s"))
NO_NETWORK = kept(gettext_noop("There is no network %(id)s."))
NO_CHAIN = kept(gettext_noop("There is no chain %(id)s."))
NO_MACHINE = kept(gettext_noop("The organization %(orgcode)s has no machine for a node."))
OTHER_CHAIN = kept(gettext_noop("The node %(node)s is of the chain %(found)s, not %(wanted)s."))
OTHER_AT_PORT = kept(
    gettext_noop("On the host %(host)s a node of another chain (%(number)s) has the port %(port)s already.")
)
OTHER_FIRST = kept(gettext_noop("These nodes are not of one chain, for their first blocks differ: %(nodes)s"))
ONLY_OBSERVED = gettext_noop(
    "This chain was taken over by its nodes' addresses: the console reads it, and changes nothing on it."
)
STANDS = kept(gettext_noop("The chain %(chain)s makes no blocks: it stands at block %(height)s."))
