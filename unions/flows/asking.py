"""Steps that deal with people: tell them, wait for them, tell them that it came to nothing."""

from __future__ import annotations

from console import flows
from console.errors import Conflict
from console.flows import Asleep, Done, StepContext
from unions.flows.arguments import reason_of
from unions.models import ProposalState
from unions.services import proposals


@flows.step("unions.invite", local=True)
def invite(context: StepContext) -> Done:
    """A notification to everyone who may vote; to nobody when it was withdrawn in the meantime."""
    proposal = proposals.lock_proposal(context.flow_arguments["proposal"])
    if proposal.state != ProposalState.OPEN:
        return Done({"told": []})
    electors = [elector.organization for elector in proposal.electors.in_force().select_related("organization")]
    proposals.ask(proposal, electors)
    if proposal.console_asked:
        proposals.ask_console(proposal)
    return Done({"told": [each.orgcode for each in electors]})


@flows.step("unions.await_approval", local=True)
def await_approval(context: StepContext) -> Done | Asleep:
    """Sleep until the proposal is decided; go on at once when it is carried already.

    The proposal is locked while we look: a vote that settles it right now is either seen here, or finds us asleep.
    """
    proposal = proposals.lock_proposal(context.flow_arguments["proposal"])
    if proposal.state == ProposalState.CARRIED:
        return Done({"verdict": "carried"})
    if proposal.state != ProposalState.OPEN:
        raise Conflict(proposal.get_state_display(), code=proposal.state)
    return Asleep(proposal.topic)


@flows.step("unions.give_up", local=True)
def give_up(context: StepContext) -> Done:
    """The last step of a flow that failed after the vote: those concerned hear that it came to nothing."""
    actor, reason = reason_of(context)
    proposals.give_up(proposal_id=context.flow_arguments["proposal"], actor=actor, reason=reason)
    return Done()
