/* SPDX-License-Identifier: Apache-2.0
 * VPC peering connections. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/images.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/router.h"
#include "model/peering.h"
#include "model/states.h"
#include "store/router.h"

/* ---- items ---- */

struct peering_item {
	const struct peering *peering;
	struct str owner; /* the requester's account number */
	struct cidrs blocks, peer_blocks, ipv6_blocks, peer_ipv6_blocks;
	struct tags tags; /* tags of the caller's account */
};

static const void *gather_peering(struct ec2_call *e, const struct row *row)
{
	const struct tables *t = ec2_tables(e);
	struct peering_item *item = arena_new_object(e->c->arena, struct peering_item);
	if (!item)
		return NULL;
	item->peering = peering_of(row);
	item->owner = ec2_owner_number(t, item->peering->account);
	item->tags = *ec2_tags_of(e, KIND_PEERING, row);
	const struct router *router = router_find(t, item->peering->router);
	const struct router *peer = router_find(t, item->peering->peer_router);
	if (router && row_is_live(row)) {
		item->blocks = router->blocks;
		item->ipv6_blocks = router->ipv6_blocks;
	}
	if (peer && row_is_live(row) && item->peering->is_accepted) {
		item->peer_blocks = peer->blocks;
		item->peer_ipv6_blocks = peer->ipv6_blocks;
	}
	return item;
}

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

static void write_status(struct ec2_call *e, struct xml *x, const struct peering *p)
{
	const char *initiating = NULL;
	if (model_derive_peering_state(p) == PEERING_PENDING)
		initiating = ec2_state_in_answer(e, NULL);
	xml_open(x, "status");
	xml_z(x, "code", initiating ? initiating : write_state(p));
	xml_text(x, "message",
		 initiating ? str_print(e->c->arena, "Initiating Request to %" STR_FMT,
					STR_ARG(p->peer_owner_text))
			    : write_message(e, p));
	xml_close(x, "status");
}

static void write_options(struct xml *x, const char *name, bool resolves)
{
	xml_open(x, name);
	xml_bool(x, "allowDnsResolutionFromRemoteVpc", resolves);
	xml_bool(x, "allowEgressFromLocalClassicLinkToRemoteVpc", false);
	xml_bool(x, "allowEgressFromLocalVpcToRemoteClassicLink", false);
	xml_close(x, name);
}

static void write_blocks(struct xml *x, struct cidrs blocks)
{
	if (!blocks.count)
		return;
	ec2_write_cidr(x, "cidrBlock", blocks.at[0]);
	xml_open(x, "cidrBlockSet");
	for (size_t k = 0; k < blocks.count; k++) {
		xml_open(x, "item");
		ec2_write_cidr(x, "cidrBlock", blocks.at[k]);
		xml_close(x, "item");
	}
	xml_close(x, "cidrBlockSet");
}

static void write_ipv6_blocks(struct xml *x, struct cidrs blocks)
{
	if (!blocks.count)
		return;
	xml_open(x, "ipv6CidrBlockSet");
	for (size_t k = 0; k < blocks.count; k++) {
		xml_open(x, "item");
		ec2_write_cidr(x, "ipv6CidrBlock", blocks.at[k]);
		xml_close(x, "item");
	}
	xml_close(x, "ipv6CidrBlockSet");
}

static void write_requester(struct ec2_call *e, struct xml *x, const struct peering_item *i)
{
	xml_open(x, "requesterVpcInfo");
	xml_text(x, "ownerId", i->owner);
	ec2_write_id(x, "vpcId", KIND_ROUTER, i->peering->router);
	write_blocks(x, i->blocks);
	write_ipv6_blocks(x, i->ipv6_blocks);
	xml_text(x, "region", e->config->region);
	if (i->peering->is_accepted)
		write_options(x, "peeringOptions", i->peering->resolves);
	xml_close(x, "requesterVpcInfo");
}

static void write_accepter(struct ec2_call *e, struct xml *x, const struct peering_item *i)
{
	xml_open(x, "accepterVpcInfo");
	xml_text(x, "ownerId", i->peering->peer_owner_text);
	xml_text(x, "vpcId", i->peering->peer_router_text);
	write_blocks(x, i->peer_blocks);
	write_ipv6_blocks(x, i->peer_ipv6_blocks);
	xml_text(x, "region", e->config->region);
	if (i->peering->is_accepted)
		write_options(x, "peeringOptions", i->peering->peer_resolves);
	xml_close(x, "accepterVpcInfo");
}

static void write_peering(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct peering_item *i = item;
	const struct peering *p = i->peering;
	ec2_write_id(x, "vpcPeeringConnectionId", KIND_PEERING, p->row.id);
	write_requester(e, x, i);
	write_accepter(e, x, i);
	write_status(e, x, p);
	if (model_derive_peering_state(p) == PEERING_PENDING)
		xml_time_ms(x, "expirationTime", p->row.created_us + PEERING_EXPIRES_US);
	ec2_write_tags(x, i->tags);
}

/* ---- describe ---- */

struct ec2_describe_peerings {
	struct ec2_query query;
};
static const struct param describe_peerings_params[] = {
	QUERY_IDS(struct ec2_describe_peerings, "VpcPeeringConnectionId", KIND_PEERING, "Peerings by id."),
	QUERY_FILTERS(struct ec2_describe_peerings),
	QUERY_PAGES(struct ec2_describe_peerings, 5, 1000),
};

static bool fits_block(const struct filter_run *f, const struct row *row)
{
	const struct peering *p = peering_of(row);
	bool is_peer = str_starts_with(str_from(f->filter->name), STR("accepter"));
	const struct router *router = router_find(f->t, is_peer ? p->peer_router : p->router);
	char text[CIDR_TEXT_SIZE];
	for (size_t k = 0; router && row_is_live(row) && k < router->blocks.count; k++)
		if ((!is_peer || p->is_accepted) && filter_z(f, cidr_write(router->blocks.at[k], text)))
			return true;
	return false;
}

static bool fits_requester(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, ec2_owner_number(f->t, peering_of(row)->account));
}

static bool fits_expiration(const struct filter_run *f, const struct row *row)
{
	const struct peering *p = peering_of(row);
	return model_derive_peering_state(p) == PEERING_PENDING &&
	       filter_time(f, p->row.created_us + PEERING_EXPIRES_US);
}

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, write_state(peering_of(row)));
}

static bool fits_message(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, write_message(f->e, peering_of(row)));
}

static const struct filter peering_filters[] = {
	{"vpc-peering-connection-id", .is_id = true},
	{"requester-vpc-info.vpc-id", .field = "router", .index = PEERING_INDEX_ROUTER},
	{"requester-vpc-info.owner-id", .get = fits_requester},
	{"requester-vpc-info.cidr-block", .get = fits_block},
	{"accepter-vpc-info.vpc-id", .field = "peer_router_text", .index = PEERING_INDEX_PEER_ROUTER_TEXT},
	{"accepter-vpc-info.owner-id", .field = "peer_owner_text"},
	{"accepter-vpc-info.cidr-block", .get = fits_block},
	{"expiration-time", .get = fits_expiration},
	{"status-code", .get = fits_state},
	{"status-message", .get = fits_message},
};

static const struct ec2_listing peering_listing = {.kind = KIND_PEERING,
						   .set = "vpcPeeringConnectionSet",
						   .filters = FILTERS(peering_filters),
						   .other_account_index = PEERING_INDEX_PEER_ACCOUNT,
						   .gather = gather_peering,
						   .write = write_peering};

/* ---- create ---- */

struct ec2_create_peering {
	struct peering_wish wish;
	struct str region;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_peering, wire, member, __VA_ARGS__)
static const struct param create_peering_params[] = {
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC that asks."),
	P("PeerVpcId", wish.peer_router, .flags = REQUIRED, .kind = KIND_ROUTER,
	  .doc = "The VPC that is asked."),
	P("PeerOwnerId", wish.peer_owner, .max = 12,
	  .doc = "Its owner, by account number; absent: the caller."),
	P("PeerRegion", region, .doc = "This region."),
	TAG_SPECIFICATIONS(struct ec2_create_peering, tag_specs),
	NOT_BUILT("RequesterPeeringConnectionOptions"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_peering *a = args;
	TRY(ec2_check_region(e, a->region, "PeerRegion"));
	return ec2_take_tags(e, &a->tag_specs, "vpc-peering-connection", "vpc-peering-connection",
			     &a->wish.tags);
}

static RESULT ec2_create_peering(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_peering *a = args;
	return ec2_write_returned(e, &peering_listing, a->wish.peering, "vpcPeeringConnection", x);
}

/* ---- accept, reject, delete ---- */

static const struct param peering_params[] = {
	PARAM(struct peering_target, "VpcPeeringConnectionId", peering, .flags = REQUIRED,
	      .kind = KIND_PEERING, .doc = "The peering."),
};

static RESULT ec2_accept_peering(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct peering_target *a = args;
	return ec2_write_returned(e, &peering_listing, a->made, "vpcPeeringConnection", x);
}

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
	P("VpcPeeringConnectionId", peering, .flags = REQUIRED, .kind = KIND_PEERING, .doc = "The peering."),
	P("RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc", resolves,
	  .doc = "Public names of the requester's resolve to private addresses in the accepter's VPC."),
	P("AccepterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc", peer_resolves,
	  .doc = "And the other way round."),
	CLASSIC("Requester"),
	CLASSIC("Accepter"),
};
#undef P

static RESULT ec2_modify_options(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct peering_options *a = args;
	const struct row *row = NULL;
	TRY(ec2_find_returned(e, a->made, &row));
	if (a->resolves != CHOICE_DEFAULT)
		write_options(x, "requesterPeeringConnectionOptions", peering_of(row)->resolves);
	if (a->peer_resolves != CHOICE_DEFAULT)
		write_options(x, "accepterPeeringConnectionOptions", peering_of(row)->peer_resolves);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcPeeringConnections"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct ec2_describe_peerings, describe_peerings_params), .list = &peering_listing,
	 .doc = "Peerings that the account asked for or was asked for; those that are over, for a while."},
	{EC2_ACTION("CreateVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_peering, create_peering_params), .prepare = prepare_create,
	 .operation = engine_create_peering_run, .returns = KIND_PEERING, .answer = ec2_create_peering,
	 .state_in_answer = "initiating-request",
	 .doc = "Asks for a peering of two VPCs of this region; one there already is the answer."},
	{EC2_ACTION("AcceptVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_target, peering_params), .operation = engine_accept_peering_run,
	 .returns = KIND_PEERING, .answer = ec2_accept_peering,
	 .doc = "Accepts a peering that the account was asked for."},
	{EC2_ACTION("RejectVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_target, peering_params), .operation = engine_reject_peering_run,
	 .doc = "Rejects one."},
	{EC2_ACTION("DeleteVpcPeeringConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_target, peering_params), .operation = engine_delete_peering_run,
	 .doc = "Deletes a peering, or a request of the account's own."},
	{EC2_ACTION("ModifyVpcPeeringConnectionOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct peering_options, modify_options_params),
	 .operation = engine_set_peering_options_run, .returns = KIND_PEERING, .answer = ec2_modify_options,
	 .doc = "Whether public names resolve to private addresses on the other side."},
};
const struct api_actions ec2_peering_actions = API_ACTIONS(actions);
