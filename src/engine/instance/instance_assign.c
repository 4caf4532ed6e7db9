/* SPDX-License-Identifier: Apache-2.0
 * Transfers an instance with its disks to another account. Its ports end or stay behind, and it gets new ones
 * in the other account's networks. The definition on its host follows with the new gen. Rules and messages: UserVmManagerImpl.moveVmToUser, CloudStack 4.18 to 4.20. Called by: api/cloudstack. */
#include "engine/instance/azure_guest_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/launch_ports_internal.h"
#include "engine/instance/profile_association_internal.h"
#include "engine/internal.h"
#include "engine/job.h"
#include "engine/network/port/port_internal.h"
#include "engine/people/policy/role.h"
#include "engine/quota_internal.h"
#include "engine/scaling/scaling_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/states.h"
#include "store/account.h"
#include "store/address.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_event.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/subnet.h"
#include "store/target.h"

struct assigning {
	struct op *op;
	const struct instance *instance;
	const struct account *taker;
	struct launch_ports ports;
	struct str field; /* parameter that names the instance */
};

static struct str name_machine(const struct assigning *a)
{
	return engine_write_id(a->op, KIND_INSTANCE, a->instance->row.id);
}

/* ---- permission and state ---- */

static bool may_give(const struct op *op, uuid account)
{
	struct roles roles;
	if (identity_is_admin(op->ctx->who))
		return true;
	engine_find_roles(op->head, op->ctx->who->user, IDENTITY_ACCOUNT, account, &roles);
	return roles.rights & RIGHT(MANAGER);
}

/* CloudStack reports the refusal as a bad parameter; here it is ERR_DENIED. */
static RESULT check_accounts(struct assigning *a, uuid taker)
{
	struct op *op = a->op;
	a->taker = account_find(op->head, taker);
	if (!engine_is_account_open(op->head, a->taker))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT,
				     "The new account owner [%" STR_FMT "] is disabled.",
				     STR_ARG(engine_write_id(op, KIND_ACCOUNT, taker)));
	if (uuid_equal(a->instance->account, taker))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT,
				     "The new account [%" STR_FMT "] is the same as the old account.",
				     STR_ARG(a->taker->name));
	if (!may_give(op, a->instance->account) || !may_give(op, taker))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_INSTANCE,
				     "Only domain admins are allowed to assign VMs.");
	return OK;
}

/* Refuses dedicated tenancies, which CloudStack does not have: their hosts serve one account only. */
static RESULT check_state(struct assigning *a, const struct ref *ref)
{
	const struct instance *i = a->instance;
	enum instance_state state = model_derive_instance_state(i);
	TRY(instance_check_changeable(a->op, i, ref->field));
	if (i->wanted_power == INSTANCE_WANTED_POWER_ON || i->seen_power == INSTANCE_SEEN_POWER_ON)
		return ENGINE_FAIL(a->op, ERR_STATE, KIND_INSTANCE, ref->field,
				   "Unable to move VM [%" STR_FMT "] in [%s] state.",
				   STR_ARG(name_machine(a)), model_instance_states[state].cloudstack);
	TRY(instance_check_settled(a->op, i, ref, "given to another account"));
	if (i->tenancy != INSTANCE_TENANCY_DEFAULT)
		return ENGINE_FAIL(a->op, ERR_UNSUPPORTED, KIND_INSTANCE, ref->field,
				   "Unable to move VM [%" STR_FMT
				   "], whose host is dedicated to its account.",
				   STR_ARG(name_machine(a)));
	if (engine_has_jobs(a->op->head, i->row.id)) /* jobs of the former account, which nobody could
						      * cancel */
		return ENGINE_FAIL(a->op, ERR_STATE, KIND_INSTANCE, ref->field,
				   "Unable to move VM [%" STR_FMT "] while jobs on it wait.",
				   STR_ARG(name_machine(a)));
	return instance_check_no_snapshots(
		a->op, i->row.id, ref->field,
		"Unable to move the VM, please remove VM snapshots before assigning it to another user");
}

/* ---- addresses and rules ---- */

#define REMOVE(a, words)                                                                                     \
	ENGINE_FAIL((a)->op, ERR_STATE, KIND_INSTANCE, (a)->field,                                           \
		    "Remove " words " for VM [%" STR_FMT "] before assigning it to another user.",           \
		    STR_ARG(name_machine(a)))

static RESULT check_port(struct assigning *a, const struct port *port)
{
	const struct tables *t = a->op->head;
	char text[IP_TEXT_SIZE];
	if (port_forwarding_first_by_port(t, port->row.id))
		return REMOVE(a, "any Port Forwarding rules");
	if (load_balancer_member_first_by_port(t, port->row.id) || target_first_by_port(t, port->row.id))
		return REMOVE(a, "the Load Balancing rules");
	for (const struct address *x = address_first_by_port(t, port->row.id); x;
	     x = address_next_by_port(t, x))
		if (row_is_live(&x->row) && x->is_elastic)
			return ENGINE_FAIL(a->op, ERR_STATE, KIND_INSTANCE, a->field,
					   "Remove the One to One Nat rule for VM [%" STR_FMT
					   "] for IP [%s].",
					   STR_ARG(name_machine(a)), ip_write(x->ip, text));
	return OK;
}

static RESULT check_ports(struct assigning *a)
{
	const struct tables *t = a->op->head;
	for (const struct port *p = port_first_by_instance(t, a->instance->row.id); p;
	     p = port_next_by_instance(t, p))
		if (row_is_live(&p->row))
			TRY(check_port(a, p));
	return OK;
}

/* ---- image ---- */

/* The taker must be able to see the image. A deleted image refuses nothing. */
static RESULT check_template(struct assigning *a)
{
	struct op *op = a->op;
	const struct image *image = image_find(op->head, a->instance->image);
	if (!image || !row_is_live(&image->row) || engine_may_see(op->ctx, KIND_IMAGE, &image->row))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_IMAGE,
			     "New owner [%" STR_FMT
			     "] does not have access to the template specified for VM [%" STR_FMT "].",
			     STR_ARG(a->taker->name), STR_ARG(name_machine(a)));
}

/* ---- new ports, as the taker ---- */

static const struct subnet *find_default_subnet(const struct assigning *a)
{
	const struct tables *t = a->op->head;
	uuid router = a->taker->default_router;
	const struct subnet *s = uuid_is_none(router) ? NULL : subnet_first_by_router(t, router);
	while (s && !(row_is_live(&s->row) && s->is_default && uuid_equal(s->zone, a->instance->zone)))
		s = subnet_next_by_router(t, s);
	return s;
}

/* Present subnet if its network is granted to the taker, otherwise the default subnet of the zone. CloudStack
 * keeps the address in a shared network; here the instance gets a new one. */
static RESULT choose_primary(struct assigning *a, struct launch_slot *slot)
{
	struct op *op = a->op;
	const struct subnet *now =
		uuid_is_none(a->instance->subnet) ? NULL : subnet_find(op->head, a->instance->subnet);
	bool is_shared = now && engine_may_use(op->ctx, op->head, KIND_SUBNET, &now->row);
	slot->subnet = is_shared ? now : find_default_subnet(a);
	return slot->subnet ? OK
			    : ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK, STR("networkids"),
					  "No network is specified, please specify one when you move the vm. "
					  "For now, please add a network to VM on NICs tab.");
}

static RESULT choose_ports(struct assigning *a, const struct instance_assigning *wish)
{
	struct op *op = a->op;
	const struct instance_launch launch = {.ports = wish->ports, .port_count = wish->port_count};
	TRY(check_template(a));
	TRY(launch_ports_begin(op, &launch, NULL, &a->ports));
	struct launch_slot *primary = &a->ports.at[0];
	TRY(ref_is_given(&primary->wish->network) ? launch_ports_find(op, NULL, primary)
						  : choose_primary(a, primary));
	if (primary->subnet)
		TRY(port_check_zone(op, primary->subnet, a->instance->zone, primary->wish->field));
	TRY(launch_ports_resolve(op, NULL, a->instance->zone, &a->ports));
	return quota_check(op, a->taker->row.id, QUOTA_PORTS, (int64_t) a->ports.new_count);
}

/* Resolves networks, groups and the image as a member of the taker's account, so that an administrator cannot
 * give it what it may not use. Policies are still those of the caller. */
static RESULT choose_ports_as_taker(struct assigning *a, const struct instance_assigning *wish)
{
	struct ctx *c = a->op->ctx;
	const struct identity *who = c->who;
	struct identity taker = {.user = who ? who->user : UUID_NONE,
				 .scope = IDENTITY_ACCOUNT,
				 .rights = RIGHTS_OF_MEMBER,
				 .account = a->taker->row.id,
				 .domain = a->taker->domain,
				 .account_number = a->taker->number};
	c->who = &taker;
	struct result result = choose_ports(a, wish);
	c->who = who;
	return result;
}

/* ---- rows ---- */

/* Removes what belongs to the former account: groups, fleet, scaling group, client token, pending password. The public key
 * is a copy, and stays. */
static struct instance make_next(const struct assigning *a)
{
	const struct subnet *subnet = a->ports.at[0].subnet; /* NULL: the primary port has no address */
	struct instance next = *a->instance;
	next.account = a->taker->row.id;
	next.router = subnet ? subnet->router : UUID_NONE;
	next.subnet = subnet ? subnet->row.id : UUID_NONE;
	next.server_group = next.fleet = UUID_NONE;
	next.capacity_reservation = next.capacity_target = UUID_NONE;
	next.capacity_preference = INSTANCE_CAPACITY_PREFERENCE_OPEN;
	next.partition = next.fleet_override = next.fleet_units = next.launch_index = 0;
	next.near = next.apart = (struct uuids){0};
	next.reservation = uuid_random();
	next.client_token = next.admin_password = STR_NONE;
	next.named_by_id |= subnet && subnet->block.base.family == IP_V6;
	next.config_drive |= launch_ports_lack_ipv4(&a->ports);
	next.row.gen++;
	return next;
}

static RESULT give_event(struct op *op, const struct instance *next)
{
	const struct instance_event *event = instance_event_find_by_instance(op->head, next->row.id);
	if (!event)
		return OK;
	struct instance_event given = *event;
	given.account = next->account;
	return instance_event_put(op, &given);
}

static RESULT give(struct assigning *a)
{
	struct op *op = a->op;
	const struct instance *before = a->instance;
	const struct instance next = make_next(a);
	TRY(engine_log_event(op, KIND_INSTANCE, &before->row, "given away", "To account %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_ACCOUNT, next.account))));
	TRY(volume_give_all(op, next.row.id, before->account, next.account));
	TRY(instance_release_ports(op, next.row.id));
	TRY(profile_association_leave_instance(op, next.row.id));
	TRY(azure_guest_leave_instance(op, next.row.id));
	TRY(instance_meter_allocation(op, before, 0));
	TRY(instance_put(op, &next));
	TRY(instance_meter_allocation(op, &next, 1));
	TRY(give_event(op, &next));
	TRY(scaling_leave_instance(op, next.row.id));
	TRY(launch_ports_write(op, &a->ports, &next, (struct tags){0}));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "received", "From account %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_ACCOUNT, before->account)));
}

RESULT engine_assign_instance(struct op *op, struct instance_assigning *wish)
{
	struct assigning a = {.op = op, .field = wish->instance.field};
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &a.instance));
	TRY(engine_permit(op, "instance.assign", KIND_INSTANCE, &a.instance->row));
	TRY(check_accounts(&a, wish->account));
	TRY(check_state(&a, &wish->instance));
	TRY(check_ports(&a));
	TRY(volume_check_all_givable(op, a.instance->row.id, a.field));
	TRY(instance_check_quotas(op, a.taker->row.id, a.instance));
	TRY(choose_ports_as_taker(&a, wish));
	return give(&a);
}
