"""What the presets and their mappings tell users, for the catalogue of translations: nothing is read from here."""

from django.utils.translation import gettext_noop

REASONS = (
    # amazon-managed-blockchain
    gettext_noop("AWS builds peers for a member, not for a channel. Add them in the AWS console."),
    gettext_noop("AWS builds peers for a member, not for a channel. Remove them in the AWS console."),
    gettext_noop("AWS has no API for channels. Make them with the Fabric command line at a peer."),
    gettext_noop("AWS has no API for channels, and Fabric cannot delete one."),
    gettext_noop("AWS has no API for channels. A peer joins one with the Fabric command line."),
    gettext_noop("AWS has no API for channels. A member leaves one by a change of the channel's configuration."),
    gettext_noop("AWS has no API for chaincode. Install and approve it with the Fabric command line."),
    gettext_noop("AWS has no API for chaincode. Upgrade it with the Fabric command line."),
    gettext_noop("AWS has no API for chaincode, and Fabric cannot delete it from a channel."),
    gettext_noop("AWS does not show ledgers of Fabric networks. Ask a peer."),
    gettext_noop("AWS does not show transactions of Fabric networks. Ask a peer."),
    gettext_noop("AWS does not show blocks of Fabric networks. Ask a peer."),
    gettext_noop("AWS shows figures in CloudWatch only, which is another service."),
    gettext_noop("AWS has no API for channels."),
    gettext_noop(
        "A tenant is an AWS account; AWS lists accounts in another service. Type the twelve digits of the account."
    ),
    # azure-blockchain-service
    gettext_noop("A consortium of Azure has its Quorum chain from the start. Azure's calls do not show it."),
    gettext_noop("The chain of an Azure consortium ends with the consortium."),
    gettext_noop("Every member of an Azure consortium is on its chain."),
    gettext_noop("Whoever leaves the chain of an Azure consortium leaves the consortium."),
    gettext_noop("A consortium of Azure is one Quorum chain."),
    gettext_noop("Azure counts transaction nodes by member. Add them in the Azure portal."),
    gettext_noop("Azure counts transaction nodes by member. Remove them in the Azure portal."),
    gettext_noop("Azure's calls manage nodes only. Deploy with any Ethereum tool at a transaction node."),
    gettext_noop("A contract on a Quorum chain cannot be changed. Deploy the new version beside the old one."),
    gettext_noop("A contract on a Quorum chain cannot be removed."),
    gettext_noop("Azure's calls manage nodes only. Send it with any Ethereum tool at a transaction node."),
    gettext_noop("Azure's calls do not show ledgers. Ask a transaction node."),
    gettext_noop("Azure's calls do not show transactions. Ask a transaction node."),
    gettext_noop("Azure's calls do not show blocks. Ask a transaction node."),
    gettext_noop("Azure shows figures in Azure Monitor, which is another service."),
    gettext_noop("Azure has no call for chains; a consortium is one."),
    gettext_noop("Azure lists subscriptions in another service. Type the id of the subscription."),
    # huawei-bcs
    gettext_noop("BCS changes the number of peers with the size of an instance. Do it in the BCS console."),
    gettext_noop(
        "BCS takes a chaincode as a form with a file, which a mapping cannot send. Install it in the BCS console."
    ),
    gettext_noop("BCS has no published call for it. Upgrade the chaincode in the BCS console."),
    gettext_noop(
        "BCS only takes the files off the peers; the chaincode stays on its channel. Do it in the BCS console."
    ),
    gettext_noop("The published pages do not say where BCS answers for a single transaction. Look through the list."),
    gettext_noop("A tenant is a Huawei Cloud account; BCS lists none. Type the account's id, name and project id."),
    # hyperledger-cello
    gettext_noop("Cello takes the peers of a channel from its own pages. Make further channels there."),
    gettext_noop("Cello starts nodes with its own agents. Add them in Cello."),
    gettext_noop("Cello starts nodes with its own agents. Remove them in Cello."),
    gettext_noop("Cello has no networks any more. The installation is one; its channels are chains here."),
    gettext_noop("Cello has no networks any more."),
    gettext_noop("An organization registers at Cello itself, with its own agent and administrator."),
    gettext_noop("Cello has no call by which an organization leaves."),
    gettext_noop("Members sign an invitation one after the other in Cello's own pages."),
    gettext_noop("Cello has no call by which an organization leaves a channel."),
    gettext_noop("Cello has no call for it, and Fabric cannot delete a channel."),
    gettext_noop("Cello takes a chaincode as a form with a file, which a mapping cannot send. Install it in Cello."),
    gettext_noop("Cello takes a chaincode as a form with a file, which a mapping cannot send. Upgrade it in Cello."),
    gettext_noop("Cello has no call for it, and Fabric cannot delete a chaincode from a channel."),
    gettext_noop("Cello does not show ledgers. Ask a peer."),
    gettext_noop("Cello does not show transactions. Ask a peer."),
    gettext_noop("Cello does not show blocks. Ask a peer."),
    gettext_noop("Cello has no figures of its own."),
    gettext_noop("Cello has no tenants."),
    # kaleido
    gettext_noop("A node of Kaleido serves one environment; chains cannot share nodes."),
    gettext_noop("A member has one node on a Kaleido chain here. Add more in Kaleido's own pages."),
    gettext_noop("A member has one node on a Kaleido chain here. To give that back, quit the chain."),
    gettext_noop(
        "Kaleido compiles and promotes contracts in several calls that are not published. Deploy with any "
        "Ethereum tool at a node."
    ),
    gettext_noop("Transactions of a Fabric channel are sent with a client of Fabric at a peer."),
    gettext_noop("Kaleido's management plane sends no transactions. Send them at a node."),
    gettext_noop("WeBASE sends transactions with its own signing service. Do it in WeBASE."),
    gettext_noop("A contract on an Ethereum chain cannot be changed. Deploy the new version beside the old one."),
    gettext_noop("A contract on an Ethereum chain cannot be removed."),
    gettext_noop("Kaleido shows ledgers in its own pages, by calls that are not published. Ask a node."),
    gettext_noop("Kaleido shows transactions in its own pages, by calls that are not published. Ask a node."),
    gettext_noop("Kaleido shows blocks in its own pages, by calls that are not published. Ask a node."),
    gettext_noop("Kaleido's figures come by calls that are not published."),
    gettext_noop("Kaleido lists no accounts."),
    # webase
    gettext_noop("WeBASE builds a chain host by host in its own pages. Build it there, then take it over here."),
    gettext_noop(
        "WeBASE wants a number and a creation time for a new group, which this console cannot make up. Make "
        "the group in WeBASE, then take it over here."
    ),
    gettext_noop("WeBASE only forgets a group; its data stays on every node. Remove it node by node in WeBASE."),
    gettext_noop("WeBASE adds single nodes to a group, each with a signature. Do it in WeBASE."),
    gettext_noop("WeBASE takes single nodes out of a group, each with a signature. Do it in WeBASE."),
    gettext_noop("A contract on FISCO BCOS cannot be changed. Deploy the new version beside the old one."),
    gettext_noop("WeBASE has no tenants."),
)

ABOUT = (
    # amazon-managed-blockchain
    gettext_noop("Hyperledger Fabric networks on AWS, one account for each organization."),
    gettext_noop("Access key id of an account that may list networks"),
    gettext_noop("Secret access key"),
    gettext_noop("Twelve digits of the organization's AWS account"),
    gettext_noop("Access key id of that account"),
    gettext_noop("Secret access key of that account"),
    gettext_noop("AWS region"),
    gettext_noop("Fabric version of new networks"),
    gettext_noop("Edition of new networks, STARTER or STANDARD"),
    gettext_noop("Instance type of new peers"),
    gettext_noop("Availability zone of new peers"),
    gettext_noop("Share of yes votes that admits a member (percent)"),
    gettext_noop("Hours until a vote ends"),
    gettext_noop("Seconds between two looks at what AWS is building"),
    # azure-blockchain-service
    gettext_noop(
        "Quorum consortia on Azure, one subscription and resource group for each organization. Azure has closed the "
        "service."
    ),
    gettext_noop("Application (client) id of a service principal that may read the subscription"),
    gettext_noop("Secret of that service principal"),
    gettext_noop("Id of the organization's Azure subscription"),
    gettext_noop("Resource group in that subscription"),
    gettext_noop("Application (client) id of a service principal that may contribute to the resource group"),
    gettext_noop("Subscription whose consortia are listed"),
    gettext_noop("Path of the directory's token endpoint, with the directory's id"),
    gettext_noop("Address of the directory that gives tokens"),
    gettext_noop("Azure location of new members"),
    gettext_noop("Size of new members (B0, S0)"),
    gettext_noop("Tier of new members (Basic, Standard)"),
    gettext_noop("Validator nodes of each member"),
    gettext_noop("Seconds between two looks at what Azure is building"),
    # huawei-bcs
    gettext_noop("Hyperledger Fabric instances on Huawei Cloud, one account and project for each organization."),
    gettext_noop("Access key id of an account that may see the project"),
    gettext_noop("Secret access key"),
    gettext_noop("User of the instance's blockchain browser, usually admin"),
    gettext_noop("Password of the instance's blockchain browser"),
    gettext_noop("Domain id of the organization's account"),
    gettext_noop("Account name"),
    gettext_noop("Project id of that account in the region"),
    gettext_noop("Access key id of that account"),
    gettext_noop("Secret access key of that account"),
    gettext_noop("Agent of the instance whose ledger is read"),
    gettext_noop("Project that networks and nodes are read from"),
    gettext_noop("Edition of new instances (number as in the vendor's documents)"),
    gettext_noop("Fabric version of new instances"),
    gettext_noop("Consensus of new instances"),
    gettext_noop("Machine type of new clusters"),
    gettext_noop("Cluster type"),
    gettext_noop("Availability zone"),
    gettext_noop("Channel that members are invited to"),
    gettext_noop("Peers of each organization"),
    # hyperledger-cello
    gettext_noop("Fabric channels of organizations that run their own agents."),
    gettext_noop("E-mail address of a user of Cello"),
    gettext_noop("Password of that user"),
    gettext_noop("E-mail address of the organization's administrator in Cello"),
    gettext_noop("Password of that administrator"),
    gettext_noop("Name for the installation"),
    # kaleido
    gettext_noop("Quorum and Ethereum environments of a consortium, held by one Kaleido account."),
    gettext_noop("API key of a Kaleido account"),
    gettext_noop("API key of the same account"),
    gettext_noop("Client of new chains (quorum, geth, hyperledger-besu)"),
    gettext_noop("Consensus of new chains (raft, ibft, poa)"),
    gettext_noop("Size of new nodes"),
    # webase
    gettext_noop("A FISCO BCOS 2 chain with its groups, managed by WeBASE-Node-Manager."),
    gettext_noop("Account of WeBASE, with the role of an administrator"),
    gettext_noop("SHA-256 of its password, in hex"),
    gettext_noop("Account of WeBASE"),
    gettext_noop("SHA-256 of its password, in hex"),
    gettext_noop("Address and port of the WeBASE-Front at the organization's node"),
    gettext_noop("Name of the chain in WeBASE"),
    gettext_noop("Fixed verification code (constant.verificationCodeValue)"),
    gettext_noop("Address that signs contract deployments"),
)
