/* SPDX-License-Identifier: Apache-2.0
 * VPC peering connections. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/images.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/router.h"
#include "model/account.h"
#include "model/peering.h"
#include "model/states.h"
#include "store/router.h"

/* ---- items ---- */

static const char *write_state(const struct peering *p)
{
	return model_peering_states[model_derive_peering_state(p)].ec2;
}

/* ---- writing ---- */

/* The status message; an ended peering has its own. */
static struct str write_message(struct ec2_call *e, const struct peering *p)
{
	static const char *const words[PEERING_STATE_COUNT] = {[PEERING_PROVISIONING] = "Provisioning",
							       [PEERING_ACTIVE] = "Active",
							       [PEERING_DELETING] = "Deleting"};
	enum peering_state state = model_derive_peering_state(p);
	if (state == PEERING_PENDING)
		return str_print(e->c->arena, "Pending Acceptance by %" STR_FMT, STR_ARG(p->peer_owner_text));
	return words[state] ? str_from(words[state]) : p->outcome_text;
}

static bool is_pending(const struct peering *p)
{
	return model_derive_peering_state(p) == PEERING_PENDING;
}

/* The state and the message; the answer of the call that asks shows its own. */
static const char *get_state(struct api_call *e, const struct row *row)
{
	const struct peering *p = peering_of(row);
	const char *initiating = is_pending(p) ? ec2_state_in_answer(ec2_call_of(e), NULL) : NULL;
	return initiating ? initiating : write_state(p);
}

static struct str get_message(struct api_call *core, const struct row *row)
{
	struct ec2_call *e = ec2_call_of(core);
	const struct peering *p = peering_of(row);
	if (!is_pending(p) || !ec2_state_in_answer(e, NULL))
		return write_message(e, p);
	return str_print(e->c->arena, "Initiating Request to %" STR_FMT, STR_ARG(p->peer_owner_text));
}

/* Each side's blocks are shown while the peering lasts, the accepter's once it has accepted. */
static struct cidrs find_blocks(struct api_call *e, const struct row *row, bool is_peer, bool is_ipv6)
{
	const struct peering *p = peering_of(row);
	const struct router *router = router_find(api_tables(e), is_peer ? p->peer_router : p->router);
	if (!router || !row_is_live(row) || (is_peer && !p->is_accepted))
		return (struct cidrs){0};
	return is_ipv6 ? router->ipv6_blocks : router->blocks;
}

struct shown_block {
	struct row row; /* no row of the store */
	struct cidr block;
};

static struct attribute_rows list_blocks(struct api_call *e, struct cidrs blocks)
{
	struct shown_block *all = arena_new_array(e->c->arena, struct shown_block, blocks.count);
	for (size_t k = 0; all && k < blocks.count; k++)
		all[k].block = blocks.at[k];
	return attribute_rows_of(e, all, blocks.count, sizeof *all);
}

#define SIDE(side, is_peer)                                                                                  \
	static const void *find_##side##_block(struct api_call *e, const struct row *row)                    \
	{                                                                                                    \
		struct cidrs blocks = find_blocks(e, row, is_peer, false);                                   \
		return blocks.count ? blocks.at : NULL;                                                      \
	}                                                                                                    \
	static struct attribute_rows list_##side##_blocks(struct api_call *e, const struct row *row)         \
	{                                                                                                    \
		return list_blocks(e, find_blocks(e, row, is_peer, false));                                  \
	}                                                                                                    \
	static struct attribute_rows list_##side##_ipv6_blocks(struct api_call *e, const struct row *row)    \
	{                                                                                                    \
		return list_blocks(e, find_blocks(e, row, is_peer, true));                                   \
	}
SIDE(requester, false)
SIDE(accepter, true)

static const void *find_accepted(struct api_call *e, const struct row *row)
{
	(void) e;
	return peering_of(row)->is_accepted ? row : NULL;
}

ATTRIBUTE_GETTER(peering, p, int64_t, get_expiration,
		 is_pending(p) ? row->created_us + PEERING_EXPIRES_US : 0)
/* Tags of the caller's account. */
ATTRIBUTE_GETTER(peering, p, struct tags, get_tags, *ec2_tags_of(ec2_call_of(e), KIND_PEERING, row))

#define OPTIONS(field)                                                                                       \
	{                                                                                                    \
		ATTRIBUTE(peering, "allowDnsResolutionFromRemoteVpc", field),                                \
			ATTRIBUTE_CONST("allowEgressFromLocalClassicLinkToRemoteVpc", "false"),              \
			ATTRIBUTE_CONST("allowEgressFromLocalVpcToRemoteClassicLink", "false"),              \
	}
ATTRIBUTE_TABLE(requester_options, OPTIONS(resolves));
ATTRIBUTE_TABLE(accepter_options, OPTIONS(peer_resolves));
ATTRIBUTE_TABLE(requester_block,
		{ATTRIBUTE(shown_block, "cidrBlock", block, .filter = "requester-vpc-info.cidr-block")});
ATTRIBUTE_TABLE(accepter_block,
		{ATTRIBUTE(shown_block, "cidrBlock", block, .filter = "accepter-vpc-info.cidr-block")});
ATTRIBUTE_TABLE(ipv6_block, {ATTRIBUTE(shown_block, "ipv6CidrBlock", block)});
#define BLOCKS(side)                                                                                         \
	ATTRIBUTE_MADE(CIDR, at, "cidrBlock", find_##side##_block),                                          \
		ATTRIBUTE_ROWS("cidrBlockSet", side##_block, list_##side##_blocks,                           \
			       .flags = ATTRIBUTE_OMIT_NONE | ATTRIBUTE_FILTERS_WITHIN),                     \
		ATTRIBUTE_ROWS("ipv6CidrBlockSet", ipv6_block, list_##side##_ipv6_blocks,                    \
			       .flags = ATTRIBUTE_OMIT_NONE),                                                \
		EC2_REGION("region"), ATTRIBUTE_WITHIN_OF("peeringOptions", side##_options, find_accepted)
ATTRIBUTE_TABLE(requester,
		{ATTRIBUTE_OF(peering, account, KIND_ACCOUNT, account, "ownerId", number,
			      .none = EC2_OPERATORS_NUMBER, .filter = "requester-vpc-info.owner-id"),
		 ATTRIBUTE_REF(peering, "vpcId", router, KIND_ROUTER, .filter = "requester-vpc-info.vpc-id",
			       .index = PEERING_INDEX_ROUTER),
		 BLOCKS(requester)});
ATTRIBUTE_TABLE(accepter,
		{ATTRIBUTE(peering, "ownerId", peer_owner_text, .filter = "accepter-vpc-info.owner-id"),
		 ATTRIBUTE(peering, "vpcId", peer_router_text, .filter = "accepter-vpc-info.vpc-id",
			   .index = PEERING_INDEX_PEER_ROUTER_TEXT),
		 BLOCKS(accepter)});
ATTRIBUTE_TABLE(status, {ATTRIBUTE_MADE(WORD, word, "code", get_state, .filter = "status-code"),
			 ATTRIBUTE_MADE(TEXT, text, "message", get_message, .filter = "status-message")});
#define WITHIN .flags = ATTRIBUTE_FILTERS_WITHIN
ATTRIBUTE_TABLE(peering_members, {ATTRIBUTE_OWN_ID(peering, "vpcPeeringConnectionId", KIND_PEERING,
						   .filter = "vpc-peering-connection-id"),
				  ATTRIBUTE_WITHIN("requesterVpcInfo", requester, WITHIN),
				  ATTRIBUTE_WITHIN("accepterVpcInfo", accepter, WITHIN),
				  ATTRIBUTE_WITHIN("status", status, WITHIN),
				  ATTRIBUTE_MADE(TIME, number, "expirationTime", get_expiration,
						 .flags = ATTRIBUTE_OMIT_NONE, .filter = "expiration-time"),
				  ATTRIBUTE_MADE(TAGS, tags, "tagSet", get_tags)});

/* ---- describe ---- */

struct ec2_describe_peerings {
	struct ec2_query query;
};
static const struct param describe_peerings_params[] = {
	QUERY_IDS(struct ec2_describe_peerings, "VpcPeeringConnectionId", KIND_PEERING,
		  "VPC peering connections by id."),
	QUERY_FILTERS(struct ec2_describe_peerings),
	QUERY_PAGES(struct ec2_describe_peerings, 5, 1000),
};

static const struct ec2_listing peering_listing = {.kind = KIND_PEERING,
						   .set = "vpcPeeringConnectionSet",
						   .filters = FILTERS_OF(peering_members),
						   .other_account_index = PEERING_INDEX_PEER_ACCOUNT,
						   .attributes = &peering_members};

/* ---- create ---- */

struct ec2_create_peering {
	struct peering_wish wish;
	struct str region;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_peering, wire, member, __VA_ARGS__)
static const struct param create_peering_params[] = {
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "Requester VPC."),
	P("PeerVpcId", wish.peer_router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "Accepter VPC."),
	P("PeerOwnerId", wish.peer_owner, .max = 12,
	  .doc = "Account that owns the accepter VPC; absent: the caller's."),
	P("PeerRegion", region, .doc = "Name of this region."),
	TAG_SPECIFICATIONS(struct ec2_create_peering, tag_specs),
	NOT_BUILT("RequesterPeeringConnectionOptions"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_peering *a = args;
	return ec2_check_region(e, a->region, "PeerRegion");
}

/* ---- accept, reject, delete ---- */

static const struct param peering_params[] = {
	PARAM(struct peering_target, "VpcPeeringConnectionId", peering, .flags = REQUIRED,
	      .kind = KIND_PEERING, .doc = "The VPC peering connection."),
};

/* ---- options ---- */

#define P(wire, member, ...) PARAM(struct peering_options, wire, member, __VA_ARGS__)
#define CLASSIC(side)                                                                                        \
	NOT_BUILT(side "PeeringConnectionOptions.AllowEgressFromLocalClassicLinkToRemoteVpc",                \
		  .only = "false"),                                                                          \
		NOT_BUILT(side "PeeringConnectionOptions.AllowEgressFromLocalVpcToRemoteClassicLink",        \
			  .only = "false"),                                                                  \
		NOT_BUILT(side "PeeringConnectionOptions.AllowMultipathResilience", .only = "false"),        \
		NOT_BUILT(side "PeeringConnectionOptions.MultipathResilienceMode")
static const struct param modify_options_params[] = {
	P("VpcPeeringConnectionId", peering, .flags = REQUIRED, .kind = KIND_PEERING,
	  .doc = "The VPC peering connection."),
	P("RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc", resolves,
	  .doc = "Whether public DNS names of the requester's VPC resolve to private addresses in the "
		 "accepter's."),
	P("AccepterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc", peer_resolves,
	  .doc = "Whether public DNS names of the accepter's VPC resolve to private addresses in the "
		 "requester's."),
	CLASSIC("Requester"),
	CLASSIC("Accepter"),
};
#undef P

static void write_options(struct ec2_call *e, struct xml *x, const char *name, const struct attributes *table,
			  const struct row *row)
{
	xml_open(x, name);
	ec2_write_members(e, x, table, row);
	xml_close(x, name);
}

static RESULT ec2_modify_options(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct peering_options *a = args;
	const struct row *row = NULL;
	TRY(ec2_find_returned(e, a->made, &row));
	if (a->resolves != CHOICE_DEFAULT)
		write_options(e, x, "requesterPeeringConnectionOptions", &requester_options, row);
	if (a->peer_resolves != CHOICE_DEFAULT)
		write_options(e, x, "accepterPeeringConnectionOptions", &accepter_options, row);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcPeeringConnections"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct ec2_describe_peerings, describe_peerings_params), .list = &peering_listing,
	 .doc = "Lists peering connections that the account requested or was asked to accept. Ended ones "
		"stay listed for a while."},
	{EC2_ACTION("CreateVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_peering, create_peering_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_peering, "vpc-peering-connection"),
	 .operation = engine_create_peering_run, .returns = KIND_PEERING,
	 EC2_SHOWS(peering_listing, struct ec2_create_peering, wish.peering, "vpcPeeringConnection"),
	 .state_in_answer = "initiating-request",
	 .doc = "Requests a peering connection between two VPCs of this region; returns the present one if "
		"it exists."},
	{EC2_ACTION("AcceptVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_target, peering_params), .operation = engine_accept_peering_run,
	 .returns = KIND_PEERING,
	 EC2_SHOWS(peering_listing, struct peering_target, made, "vpcPeeringConnection"),
	 .doc = "Accepts a peering request."},
	{EC2_ACTION("RejectVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_target, peering_params), .operation = engine_reject_peering_run,
	 .doc = "Rejects a peering request."},
	{EC2_ACTION("DeleteVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_target, peering_params), .operation = engine_delete_peering_run,
	 .doc = "Deletes a peering connection, or the account's own request."},
	{EC2_ACTION("ModifyVpcPeeringConnectionOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_options, modify_options_params),
	 .operation = engine_set_peering_options_run, .returns = KIND_PEERING, .answer = ec2_modify_options,
	 .doc = "Changes whether public DNS names resolve to private addresses of the peer."},
};
const struct api_actions ec2_peering_actions = API_ACTIONS(actions);
