/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs of VPCs and their items. They are EC2's: one block per item, stateless. Replies pass all the
 * same if packets identify them: TCP and echo replies. Source of messages: NetworkACLServiceImpl of 4.18.
 */
#include "api/cloudstack/network/network.h"
#include "engine/network/filter/network_acl.h"
#include "engine/resolve.h"
#include "store/network.h"
#include "store/network_acl.h"
#include "store/network_acl_entry.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- lists ---- */

struct list_lists {
	struct cs_list_args list;
	struct ref network, vpc, project;
};
#define P(wire, member, ...) PARAM(struct list_lists, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_lists, KIND_NETWORK_ACL),
	CS_NAME_PARAM(struct list_lists),
	CS_OWNER_PARAMS(struct list_lists),
	CS_PROJECT_PARAM(struct list_lists, project),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "VPC tier."),
	P("vpcid", vpc, .kind = KIND_ROUTER, .fits = FITS(network_acl, router), .doc = "VPC."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static bool list_matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_lists *a = args;
	const struct subnet *s = cs_find_subnet(e, a->network.prefix);
	return cs_find_vpc(e, network_acl_of(row)->router) &&
	       (!ref_is_given(&a->network) || (s && uuid_equal(s->acl, row->id)));
}

static struct str get_text(struct api_call *e, const struct row *row)
{
	const struct network_acl *acl = network_acl_of(row);
	return acl->is_default && !acl->description.n ? STR("Default Network ACL Allow All")
	       : acl->description.n                   ? acl->description
						      : cs_get_acl_name(e, row);
}

static struct str get_vpc_name(struct api_call *e, const struct row *row)
{
	return cs_get_vpc_name(e, row);
}

static const struct member list_members[] = {
	MEMBER(struct network_acl, "id", row.id),
	MEMBER_TEXT("name", cs_get_acl_name),
	MEMBER_TEXT("description", get_text),
	MEMBER(struct network_acl, "vpcid", router),
	MEMBER_TEXT_OF("vpcname", get_vpc_name, JOIN_ONE(KIND_ROUTER, network_acl, router)),
	MEMBER_FIXED("fordisplay", "true"),
};
static const struct api_listing lists = CS_LISTING(KIND_NETWORK_ACL, "networkacllist", list_members,
						   .get_name = cs_get_acl_name, .matches = list_matches);

static const struct param create_list_params[] = {
	PARAM(struct network_acl_wish, "name", name, .flags = REQUIRED, .doc = "Name."),
	PARAM(struct network_acl_wish, "vpcid", router, .kind = KIND_ROUTER, .flags = REQUIRED,
	      .doc = "The VPC."),
	PARAM(struct network_acl_wish, "description", description, .doc = "Description: free text."),
	NOT_BUILT("fordisplay", .only = "true"),
};
static const struct param update_list_params[] = {
	PARAM(struct network_acl_settings, "id", acl, .kind = KIND_NETWORK_ACL, .flags = REQUIRED,
	      .doc = "The network ACL list."),
	PARAM(struct network_acl_settings, "name", name, .doc = "New name."),
	PARAM(struct network_acl_settings, "description", description,
	      .doc = "New display text or description."),
	NOT_BUILT("customid"),
	NOT_BUILT("fordisplay", .only = "true"),
};

/* ---- of which tier ---- */

struct replace_list {
	struct network_acl_association wish;
	struct ref network;
};
static const struct param replace_params[] = {
	PARAM(struct replace_list, "aclid", wish.acl, .kind = KIND_NETWORK_ACL, .flags = REQUIRED,
	      .doc = "The network ACL list."),
	PARAM(struct replace_list, "networkid", network, .kind = KIND_NETWORK, .doc = "The VPC tier."),
	NOT_BUILT("gatewayid"),
};

static RESULT find_tier(struct cs_call *e, const struct ref *ref, const struct subnet **ret_subnet)
{
	const struct network *network = NULL;
	TRY(engine_find_own_network(e->c, cs_tables(e), ref, &network));
	*ret_subnet = cs_find_subnet(&e->core, network->row.id);
	return *ret_subnet && cs_find_vpc(&e->core, (*ret_subnet)->router)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, ref->field,
					"Network is not part of a VPC: %" STR_FMT, STR_ARG(ref->text));
}

static RESULT prepare_replace(struct cs_call *e, void *args)
{
	struct replace_list *a = args;
	const struct subnet *tier = NULL;
	if (!ref_is_given(&a->network))
		return cs_fail(e, "networkid", "Both networkId and gatewayId can't be null at the same time");
	TRY(find_tier(e, &a->network, &tier));
	a->wish.association = cs_ref_of(e->c, KIND_SUBNET, tier->acl_association, "networkid");
	return OK;
}

/* ---- items ---- */

#define TRAFFIC_TYPES "Ingress|Egress|ingress|egress"
#define ACTIONS "Allow|Deny|allow|deny"

static struct str get_direction(struct api_call *e, const struct row *row)
{
	(void) e;
	return network_acl_entry_of(row)->egress ? STR("Egress") : STR("Ingress");
}

static struct str get_action(struct api_call *e, const struct row *row)
{
	(void) e;
	return network_acl_entry_of(row)->allows ? STR("Allow") : STR("Deny");
}

struct list_items {
	struct cs_list_args list;
	struct ref acl, network, project;
	struct str action, protocol, direction;
	int64_t number;
	uuid acl_of_network;
};
#define P(wire, member, ...) PARAM(struct list_items, wire, member, __VA_ARGS__)
static const struct param item_params[] = {
	CS_LIST_PARAMS(struct list_items, KIND_NETWORK_ACL_ENTRY),
	CS_OWNER_PARAMS(struct list_items),
	CS_PROJECT_PARAM(struct list_items, project),
	P("aclid", acl, .kind = KIND_NETWORK_ACL, .fits = FITS(network_acl_entry, acl),
	  .doc = "Network ACL."),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "VPC tier that uses the network ACL."),
	P("action", action, .words = ACTIONS, .doc = "Action: Allow or Deny."),
	P("protocol", protocol, .doc = "Protocol of the items."),
	P("traffictype", direction, .words = TRAFFIC_TYPES, .doc = "Traffic type: Ingress or Egress."),
	NOT_BUILT("tags"),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static RESULT prepare_list_items(struct cs_call *e, void *args)
{
	struct list_items *a = args;
	const struct cs_traffic asked = {.protocol = a->protocol};
	struct cs_read_traffic traffic;
	TRY(cs_read_traffic(e, &asked, false, &traffic));
	a->number = traffic.protocol;
	return OK;
}

/* True for an item of a VPC's list, excluding entries that only emulate the list's default. */
static bool is_item(struct api_call *e, const struct network_acl_entry *item)
{
	const struct network_acl *acl = network_acl_find(api_tables(e), item->acl);
	return acl && cs_find_vpc(e, acl->router) && !engine_is_entry_implied(acl, item);
}

/* Entries have no index by account: unless a list is named, only the caller's entries match. */
static bool item_matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_items *a = args;
	const struct network_acl_entry *item = network_acl_entry_of(row);
	const struct subnet *s = cs_find_subnet(e, a->network.prefix);
	bool is_own = uuid_equal(item->account, e->c->who->account) || ref_is_given(&a->acl) ||
		      ref_is_given(&a->list.id) || a->list.lists_all == CHOICE_YES;
	return is_own && is_item(e, item) &&
	       (!ref_is_given(&a->network) || (s && uuid_equal(s->acl, item->acl))) &&
	       (!a->action.n || str_equal_nocase(a->action, get_action(e, row))) &&
	       (!a->direction.n || str_equal_nocase(a->direction, get_direction(e, row))) &&
	       (!a->protocol.n || a->number == item->protocol);
}

/* Leaves out ports or ICMP type if the item covers all. */
static void write_traffic(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct network_acl_entry *item = network_acl_entry_of(row);
	const struct cs_read_traffic traffic = {item->protocol, item->from_port, item->to_port};
	(void) name;
	cs_write_item_traffic(cs_call_of(e), w, &traffic);
}

static struct str get_blocks(struct api_call *e, const struct row *row)
{
	return cs_write_blocks(e, network_acl_entry_of(row)->blocks);
}

static const struct member item_members[] = {
	MEMBER(struct network_acl_entry, "id", row.id),
	MEMBER_WRITTEN("protocol", write_traffic, .also = "startport|endport|icmptype|icmpcode"),
	MEMBER_TEXT("cidrlist", get_blocks),
	MEMBER_TEXT("traffictype", get_direction),
	MEMBER_TEXT("action", get_action),
	MEMBER(struct network_acl_entry, "number", number),
	MEMBER(struct network_acl_entry, "reason", description, .is_optional = true),
	MEMBER(struct network_acl_entry, "aclid", acl),
	MEMBER_TEXT_OF("aclname", cs_get_acl_name, JOIN_ONE(KIND_NETWORK_ACL, network_acl_entry, acl)),
	MEMBER_FIXED("state", "\"Active\""),
	MEMBER_FIXED("fordisplay", "true"),
	MEMBER_FIXED("tags", "[]"),
};
static const struct api_listing items = CS_LISTING(KIND_NETWORK_ACL_ENTRY, "networkacl", item_members,
						   .is_all = true, .matches = item_matches);

/* ---- items are made, changed and deleted ---- */

struct item_args {
	struct network_acl_entry_wish wish; /* first member of both: passed to the engine's operation */
	struct network_acl_entry_change change;
	struct cs_traffic traffic;
	struct ref network, id;
	struct str direction, action, reason;
	int64_t number;
	enum choice is_partial;
};
#define P(wire, member, ...) PARAM(struct item_args, wire, member, __VA_ARGS__)
#define ITEM                                                                                                 \
	CS_TRAFFIC_PARAMS(struct item_args, traffic),                                                        \
		P("traffictype", direction, .words = TRAFFIC_TYPES,                                          \
		  .doc = "Traffic type: Ingress or Egress."),                                                \
		P("action", action, .words = ACTIONS, .doc = "Action: Allow or Deny."),                      \
		P("number", number, .min = 1, .max = NETWORK_ACL_ITEM_MAX,                                   \
		  .doc = "Number. The matching item with the lowest number decides."),                       \
		P("reason", reason, .doc = "Reason for the item: free text."),                               \
		NOT_BUILT("fordisplay", .only = "true")
static const struct param create_params[] = {
	P("protocol", traffic.protocol, .flags = REQUIRED,
	  .doc = "Protocol: tcp, udp, icmp, a number, or all."),
	P("aclid", wish.acl, .kind = KIND_NETWORK_ACL, .doc = "The network ACL list."),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "Tier with the ACL, instead of the ACL's id."),
	ITEM,
};
static const struct param update_params[] = {
	P("id", id, .kind = KIND_NETWORK_ACL_ENTRY, .flags = REQUIRED, .doc = "The ACL item."),
	P("protocol", traffic.protocol, .doc = "Protocol: tcp, udp, icmp, a number, or all."),
	P("partialupgrade", is_partial, .doc = "Ignored: absent values always stay unchanged."),
	ITEM,
	NOT_BUILT("customid"),
};
static const struct param delete_params[] = {
	P("id", id, .kind = KIND_NETWORK_ACL_ENTRY, .flags = REQUIRED, .doc = "The ACL item."),
};
#undef P

/* Copies the given values into the wish. */
static RESULT take_item(struct cs_call *e, const struct item_args *a, struct network_acl_entry_wish *wish)
{
	if (a->traffic.blocks.count)
		TRY(cs_read_blocks(e, "cidrlist", "Source cidrs formatting error ", "", &a->traffic.blocks,
				   &wish->blocks));
	if (a->direction.n)
		wish->egress = str_equal_nocase(a->direction, STR("Egress"));
	if (a->action.n)
		wish->allows = str_equal_nocase(a->action, STR("Allow"));
	if (a->number)
		wish->number = a->number;
	if (a->reason.n)
		wish->description = a->reason;
	return OK;
}

static RESULT take_traffic(struct cs_call *e, const struct cs_traffic *asked,
			   struct network_acl_entry_wish *wish)
{
	struct cs_read_traffic traffic;
	TRY(cs_read_traffic(e, asked, false, &traffic));
	wish->protocol = traffic.protocol;
	wish->from_port = traffic.from_port;
	wish->to_port = traffic.to_port;
	return OK;
}

/* Next number after all others. */
static int64_t find_number(struct cs_call *e, uuid acl)
{
	int64_t number = 0;
	const struct network_acl_entry *i = network_acl_entry_first_by_acl(cs_tables(e), acl);
	for (; i; i = network_acl_entry_next_by_acl(cs_tables(e), i))
		if (i->number > number && i->number <= NETWORK_ACL_ITEM_MAX)
			number = i->number;
	return number + 1;
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct item_args *a = args;
	const struct subnet *tier = NULL;
	const struct network_acl *acl = NULL;
	if (!ref_is_given(&a->wish.acl) && !ref_is_given(&a->network))
		return cs_fail(e, "aclid",
			       "Cannot create Network ACL Item. ACL Id or network Id is required");
	if (!ref_is_given(&a->wish.acl)) {
		TRY(find_tier(e, &a->network, &tier));
		a->wish.acl = cs_ref_of(e->c, KIND_NETWORK_ACL, tier->acl, "networkid");
	}
	TRY(engine_find_own_network_acl(e->c, cs_tables(e), &a->wish.acl, &acl));
	a->wish.allows = a->wish.none_is_all = true;
	static const struct cidr all = {{.family = IP_V4}, 0};
	a->wish.blocks = (struct cidrs){&all, 1};
	a->wish.number = find_number(e, acl->row.id);
	TRY(take_item(e, a, &a->wish));
	return take_traffic(e, &a->traffic, &a->wish);
}

static RESULT find_item(struct cs_call *e, const struct ref *ref, struct network_acl_entry_wish *ret_wish)
{
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, cs_tables(e), KIND_NETWORK_ACL_ENTRY, ref, &row));
	const struct network_acl_entry *item = network_acl_entry_of(row);
	*ret_wish = (struct network_acl_entry_wish){.acl = cs_ref_of(e->c, KIND_NETWORK_ACL, item->acl, "id"),
						    .egress = item->egress,
						    .number = item->number,
						    .allows = item->allows,
						    .protocol = item->protocol,
						    .from_port = item->from_port,
						    .to_port = item->to_port,
						    .description = str_copy(e->c->arena, item->description),
						    .none_is_all = true};
	return OK;
}

/* A new protocol must bring its ports: the old ones would have another meaning. */
static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct item_args *a = args;
	struct cs_traffic *t = &a->traffic;
	TRY(find_item(e, &a->id, &a->change.wish));
	a->change.entry = a->id;
	TRY(take_item(e, a, &a->change.wish));
	if (!t->protocol.n && (t->has_start || t->has_end || t->has_type || t->has_code))
		t->protocol = str_print(e->c->arena, "%lld", (long long) a->change.wish.protocol);
	return t->protocol.n ? take_traffic(e, t, &a->change.wish) : OK;
}

static RESULT change_item(struct op *op, void *args)
{
	return engine_change_network_acl_entry(op, &((struct item_args *) args)->change);
}

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	struct item_args *a = args;
	return find_item(e, &a->id, &a->wish);
}

#define P(wire, member, ...) PARAM(struct network_acl_entry_move, wire, member, __VA_ARGS__)
static const struct param move_params[] = {
	P("id", entry, .kind = KIND_NETWORK_ACL_ENTRY, .flags = REQUIRED, .doc = "The ACL item."),
	P("previousaclruleid", previous, .kind = KIND_NETWORK_ACL_ENTRY,
	  .doc = "Item that precedes the moved one; absent: the moved item becomes the first."),
	P("nextaclruleid", next, .kind = KIND_NETWORK_ACL_ENTRY,
	  .doc = "Item that follows the moved one; absent: the moved item becomes the last."),
	P("aclconsistencyhash", digest,
	  .doc = "MD5 of the ids of all items in their order, as the caller knows them."),
	NOT_BUILT("customid"),
};
#undef P

/* ---- the commands ---- */

static const struct cs_action actions[] = {
	{CS_ACTION("listNetworkACLLists", "ec2:DescribeNetworkAcls"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_lists, list_params), .listing = &lists,
	 .doc = "Lists network ACL lists."},
	{CS_ACTION("createNetworkACLList", "ec2:CreateNetworkAcl"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct network_acl_wish, create_list_params),
	 .sets = {API_SETS(struct network_acl_wish, lets_all_out),
		  API_SETS(struct network_acl_wish, is_stateful)},
	 .operation = engine_create_network_acl_run, CS_SUBJECT(struct network_acl_wish, acl),
	 .shows = &lists, CS_JOB(MADE),
	 .doc = "Creates a network ACL list, which denies incoming and allows outgoing traffic."},
	{CS_ACTION("updateNetworkACLList", "ec2:ModifyNetworkAcl"), .flags = API_WRITES,
	 .args = PARAMS(struct network_acl_settings, update_list_params),
	 .operation = engine_update_network_acl_run, CS_JOB(NOW),
	 .doc = "Changes the name or description of a network ACL list."},
	{CS_ACTION("deleteNetworkACLList", "ec2:DeleteNetworkAcl"), .flags = API_WRITES,
	 .args = CS_ONE(struct network_acl_target, "id", acl, KIND_NETWORK_ACL, "The network ACL list."),
	 .operation = engine_delete_network_acl_run, CS_JOB(NOW),
	 .doc = "Deletes a network ACL list that no tier uses."},
	{CS_ACTION("replaceNetworkACLList", "ec2:ReplaceNetworkAclAssociation"), .flags = API_WRITES,
	 .args = PARAMS(struct replace_list, replace_params), .prepare = prepare_replace,
	 .operation = engine_replace_network_acl_association_run, CS_JOB(NOW),
	 .doc = "Replaces the network ACL list of a tier."},
	{CS_ACTION("listNetworkACLs", "ec2:DescribeNetworkAcls"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_items, item_params), .prepare = prepare_list_items, .listing = &items,
	 .doc = "Lists network ACL items."},
	{CS_ACTION("createNetworkACL", "ec2:CreateNetworkAclEntry"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct item_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_network_acl_entry_run, CS_SUBJECT(struct item_args, wish.entry),
	 .shows = &items, CS_JOB(MADE),
	 .doc = "Creates a network ACL item. The first egress item ends the default of allowing all outgoing "
		"traffic."},
	{CS_ACTION("updateNetworkACLItem", "ec2:ReplaceNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct item_args, update_params), .prepare = prepare_update, .operation = change_item,
	 CS_SUBJECT(struct item_args, id.prefix), .shows = &items, CS_JOB(MADE),
	 .doc = "Changes a network ACL item."},
	{CS_ACTION("moveNetworkAclItem", "ec2:ReplaceNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct network_acl_entry_move, move_params),
	 .operation = engine_move_network_acl_entry_run,
	 CS_SUBJECT(struct network_acl_entry_move, entry.prefix), .shows = &items, CS_JOB(MADE),
	 .doc = "Moves a network ACL item. Items in its way get higher numbers."},
	{CS_ACTION("deleteNetworkACL", "ec2:DeleteNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct item_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_network_acl_entry_run, CS_JOB(NOW),
	 .doc = "Deletes a network ACL item. Without egress items all outgoing traffic is allowed."},
};
const struct api_actions cs_network_acl_actions = API_ACTIONS(actions);
