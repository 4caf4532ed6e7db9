/* SPDX-License-Identifier: Apache-2.0
 * The virtual network in memory: fulfils the contract of network.h, stores what is applied, and fails on
 * demand. Also refuses what OVN refuses for missing references. */
#include "drivers/sim/network.h"

#include <pthread.h>
#include <search.h>

#include "base/fault.h"
#include "base/heap.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "drivers/sim/compute.h"
#include "model/address.h"
#include "model/network.h"
#include "model/port.h"
#include "model/port_policy.h"
#include "model/router.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "model/transit_gateway.h"

/* An object of the network; in a tree by kind and id. */
struct thing {
	enum network_item_kind kind;
	uuid id;
	struct thing *owner, *children, *next,
		*previous;    /* objects removed along with it: network > port, router > address */
	bool has_chassis, up; /* of a port */
	uuid chassis;         /* id of the chassis to bind at, derived from its name */
	uuid *networks;       /* owned; networks of a router */
	size_t network_count;
};

struct vnet {
	struct vnet *next;
	void (*changed)(void *arg, uuid port);
	void *changed_arg;
};

static struct {
	pthread_mutex_t lock; /* guards everything simulated: the network's actor, hosts and tests use it */
	void *things;         /* root for tsearch() */
	size_t counts[NETWORK_ITEM_OTHER + 1];
	struct vnet *open;
	bool cut, late;
} sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int compare_things(const void *a, const void *b)
{
	const struct thing *x = a, *y = b;
	return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : uuid_compare(x->id, y->id);
}

static struct thing *find_thing(enum network_item_kind kind, uuid id)
{
	struct thing key = {.kind = kind, .id = id};
	struct thing **at = tfind(&key, &sim.things, compare_things);
	return at ? *at : NULL;
}

/* Finds or creates it; NULL: out of memory. */
static struct thing *ensure_thing(enum network_item_kind kind, uuid id)
{
	struct thing *thing = find_thing(kind, id);
	if (thing)
		return thing;
	thing = heap_new(struct thing);
	if (!thing)
		return NULL;
	thing->kind = kind;
	thing->id = id;
	if (!tsearch(thing, &sim.things, compare_things)) {
		heap_free(thing);
		return NULL;
	}
	sim.counts[kind]++;
	return thing;
}

static void set_owner(struct thing *thing, struct thing *owner)
{
	if (thing->previous)
		thing->previous->next = thing->next;
	else if (thing->owner)
		thing->owner->children = thing->next;
	if (thing->next)
		thing->next->previous = thing->previous;
	thing->owner = owner;
	thing->previous = NULL;
	thing->next = owner ? owner->children : NULL;
	if (thing->next)
		thing->next->previous = thing;
	if (owner)
		owner->children = thing;
}

static void free_thing(struct thing *thing)
{
	set_owner(thing, NULL);
	tdelete(thing, &sim.things, compare_things);
	sim.counts[thing->kind]--;
	heap_free(thing->networks);
	heap_free(thing);
}

/* Removes an object with everything below it, like OVN's garbage collection. */
static bool remove_thing(enum network_item_kind kind, uuid id)
{
	struct thing *top = find_thing(kind, id), *thing = top;
	while (thing && (thing != top || top->children)) {
		struct thing *owner = thing->owner;
		if (thing->children) {
			thing = thing->children;
		} else {
			free_thing(thing);
			thing = owner;
		}
	}
	if (!top)
		return false;
	free_thing(top);
	return true;
}

static void notify(uuid port)
{
	for (struct vnet *n = sim.open; n; n = n->next)
		if (n->changed)
			n->changed(n->changed_arg, port);
}

/* Every call starts and ends with these; in between the lock is held. */
static RESULT begin_call(struct ctx *c)
{
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_IO, "the simulated network was made to fail");
	TRY(ctx_check_may_act(c));
	pthread_mutex_lock(&sim.lock);
	if (!sim.cut)
		return OK;
	pthread_mutex_unlock(&sim.lock);
	return ctx_fail(c, ERR_GONE, "the simulated network is cut off");
}

static RESULT end_call(struct ctx *c, struct result r)
{
	pthread_mutex_unlock(&sim.lock);
	if (!r.code && fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_TIMEOUT, "the simulated network was made to fail after its effect");
	return r;
}

static RESULT remove_call(struct ctx *c, enum network_item_kind kind, uuid id)
{
	TRY(begin_call(c));
	remove_thing(kind, id);
	return end_call(c, OK);
}

static RESULT need(struct ctx *c, enum network_item_kind kind, uuid id)
{
	char text[UUID_TEXT_SIZE];
	if (find_thing(kind, id))
		return OK;
	return ctx_fail(c, ERR_AGAIN, "%s is not in the simulated network yet", uuid_write(id, text));
}

/* ---- networks ---- */

static RESULT sim_apply_network(struct vnet *n, struct ctx *c, const struct network_segment *wish)
{
	(void) n;
	TRY(begin_call(c));
	return end_call(c, ensure_thing(NETWORK_ITEM_NETWORK, wish->network->row.id) ? OK : ctx_no_memory(c));
}

struct search {
	uuid network;
	bool found;
};

static void look_for_router(const void *node, VISIT visit, void *arg)
{
	struct search *search = arg;
	const struct thing *thing = *(struct thing *const *) node;
	for (size_t k = 0; (visit == postorder || visit == leaf) && k < thing->network_count; k++)
		search->found = search->found || uuid_equal(thing->networks[k], search->network);
}

static RESULT sim_remove_network(struct vnet *n, struct ctx *c, uuid network)
{
	(void) n;
	TRY(begin_call(c));
	const struct thing *thing = find_thing(NETWORK_ITEM_NETWORK, network);
	struct search search = {network, thing && thing->children};
	twalk_r(sim.things, look_for_router, &search);
	if (search.found)
		return end_call(c, ctx_fail(c, ERR_AGAIN, "ports of other resources are still in it"));
	remove_thing(NETWORK_ITEM_NETWORK, network);
	return end_call(c, OK);
}

/* ---- routers ---- */

/* The ports that the router implements: of NAT gateways, VPC endpoints and endpoint services. NULL: there are no more. */
static const struct port *get_part(const struct network_router *wish, size_t k)
{
	if (k < wish->nat_count)
		return wish->nats[k].port;
	k -= wish->nat_count;
	if (k < wish->entry_count)
		return wish->entries[k].port;
	k -= wish->entry_count;
	return k < wish->exit_count ? wish->exits[k].port : NULL;
}

/* Each port is in its subnet's network. */
static RESULT write_parts(struct ctx *c, const struct network_router *wish, struct thing *router)
{
	struct thing *next;
	const struct port *part = NULL;
	for (size_t k = 0; (part = get_part(wish, k)); k++) {
		struct thing *port = ensure_thing(NETWORK_ITEM_PORT, part->row.id);
		if (!port)
			return ctx_no_memory(c);
		set_owner(port, router);
	}
	for (struct thing *child = router->children; child; child = next) {
		bool wished = child->kind != NETWORK_ITEM_PORT;
		next = child->next;
		for (size_t k = 0; (part = get_part(wish, k)); k++)
			wished = wished || uuid_equal(child->id, part->row.id);
		if (!wished)
			remove_thing(child->kind, child->id);
	}
	return OK;
}

static RESULT write_router(struct ctx *c, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->subnet_count; k++)
		TRY(need(c, NETWORK_ITEM_NETWORK, wish->subnets[k].subnet->network));
	struct thing *router = ensure_thing(NETWORK_ITEM_ROUTER, wish->router->row.id);
	uuid *networks = heap_alloc_array(wish->subnet_count + 1, sizeof *networks);
	if (!router || !networks) {
		heap_free(networks);
		return ctx_no_memory(c);
	}
	heap_free(router->networks);
	router->networks = networks;
	for (router->network_count = 0; router->network_count < wish->subnet_count; router->network_count++)
		networks[router->network_count] = wish->subnets[router->network_count].subnet->network;
	return write_parts(c, wish, router);
}

static RESULT sim_apply_router(struct vnet *n, struct ctx *c, const struct network_router *wish)
{
	(void) n;
	TRY(begin_call(c));
	return end_call(c, write_router(c, wish));
}

static RESULT sim_remove_router(struct vnet *n, struct ctx *c, uuid router)
{
	(void) n;
	return remove_call(c, NETWORK_ITEM_ROUTER, router);
}

/* ---- transit gateways ---- */

static RESULT sim_apply_transit(struct vnet *n, struct ctx *c, const struct network_transit *wish)
{
	(void) n;
	TRY(begin_call(c));
	bool is_there = ensure_thing(NETWORK_ITEM_TRANSIT_GATEWAY, wish->gateway->row.id);
	return end_call(c, is_there ? OK : ctx_no_memory(c));
}

static RESULT sim_remove_transit(struct vnet *n, struct ctx *c, uuid gateway)
{
	(void) n;
	return remove_call(c, NETWORK_ITEM_TRANSIT_GATEWAY, gateway);
}

/* ---- groups, ports, addresses ---- */

static RESULT sim_apply_group(struct vnet *n, struct ctx *c, const struct network_group *wish)
{
	(void) n;
	TRY(begin_call(c));
	return end_call(c, ensure_thing(NETWORK_ITEM_GROUP, wish->group->row.id) ? OK : ctx_no_memory(c));
}

static RESULT sim_remove_group(struct vnet *n, struct ctx *c, uuid group)
{
	(void) n;
	return remove_call(c, NETWORK_ITEM_GROUP, group);
}

/* The id of a policy's part: behind one router, or in one network without a router. Derived from both ids. */
static uuid place_of(uuid policy, uuid place)
{
	char text[UUID_TEXT_SIZE];
	return uuid_v5(policy, str_from(uuid_write(place, text)));
}

/* Parts are objects of the policy with ids of their own, invisible from outside. */
static RESULT write_policy(struct ctx *c, const struct network_policy *wish)
{
	struct thing *policy = ensure_thing(NETWORK_ITEM_POLICY, wish->policy->row.id), *next;
	if (!policy)
		return ctx_no_memory(c);
	for (size_t k = 0; k < wish->place_count; k++) {
		struct thing *place = ensure_thing(NETWORK_ITEM_OTHER,
						   place_of(wish->policy->row.id, wish->places[k].place));
		if (!place)
			return ctx_no_memory(c);
		set_owner(place, policy);
	}
	for (struct thing *child = policy->children; child; child = next) {
		bool wished = false;
		next = child->next;
		for (size_t k = 0; k < wish->place_count; k++)
			wished = wished ||
				 uuid_equal(child->id, place_of(wish->policy->row.id, wish->places[k].place));
		if (!wished)
			remove_thing(child->kind, child->id);
	}
	return OK;
}

static RESULT sim_apply_policy(struct vnet *n, struct ctx *c, const struct network_policy *wish)
{
	(void) n;
	TRY(begin_call(c));
	return end_call(c, write_policy(c, wish));
}

static RESULT sim_remove_policy(struct vnet *n, struct ctx *c, uuid policy)
{
	(void) n;
	return remove_call(c, NETWORK_ITEM_POLICY, policy);
}

static RESULT write_port(struct ctx *c, const struct network_port *wish, bool *ret_up)
{
	TRY(need(c, NETWORK_ITEM_NETWORK, wish->port->network));
	if (wish->has_names && !uuid_is_none(wish->port->router))
		TRY(need(c, NETWORK_ITEM_ROUTER, wish->port->router));
	for (size_t k = 0; k < wish->port->groups.count; k++)
		TRY(need(c, NETWORK_ITEM_GROUP, wish->port->groups.at[k]));
	uuid place = uuid_is_none(wish->port->router) ? wish->port->network : wish->port->router;
	for (size_t k = 0; k < wish->policies.count; k++)
		TRY(need(c, NETWORK_ITEM_OTHER, place_of(wish->policies.at[k], place)));
	struct thing *port = ensure_thing(NETWORK_ITEM_PORT, wish->port->row.id);
	if (!port)
		return ctx_no_memory(c);
	set_owner(port, find_thing(NETWORK_ITEM_NETWORK, wish->port->network));
	uuid chassis = uuid_v5(wish->port->row.id, wish->chassis);
	bool was_up = port->up, goes_over = wish->is_settling && !uuid_equal(chassis, port->chassis);
	port->has_chassis = wish->chassis.n > 0;
	port->chassis = chassis;
	port->up = port->has_chassis && ((was_up && !goes_over) || !sim.late);
	*ret_up = port->up;
	if (port->up != was_up)
		notify(port->id);
	return OK;
}

static RESULT sim_apply_port(struct vnet *n, struct ctx *c, const struct network_port *wish, bool *ret_up)
{
	(void) n;
	bool up = false;
	TRY(begin_call(c));
	TRY(end_call(c, write_port(c, wish, &up)));
	*ret_up = up;
	return OK;
}

static RESULT sim_remove_port(struct vnet *n, struct ctx *c, uuid port)
{
	(void) n;
	return remove_call(c, NETWORK_ITEM_PORT, port);
}

static RESULT write_address(struct ctx *c, const struct network_address *wish)
{
	TRY(need(c, NETWORK_ITEM_ROUTER, wish->router));
	struct thing *address = ensure_thing(NETWORK_ITEM_ADDRESS, wish->address->row.id);
	if (!address)
		return ctx_no_memory(c);
	set_owner(address, find_thing(NETWORK_ITEM_ROUTER, wish->router));
	return OK;
}

static RESULT sim_apply_address(struct vnet *n, struct ctx *c, const struct network_address *wish)
{
	(void) n;
	TRY(begin_call(c));
	return end_call(c, write_address(c, wish));
}

static RESULT sim_remove_address(struct vnet *n, struct ctx *c, uuid address)
{
	(void) n;
	return remove_call(c, NETWORK_ITEM_ADDRESS, address);
}

/* The simulated network drops no packets. */
static RESULT sim_sample_drops(struct vnet *n, struct ctx *c, bool on, struct network_samples *ret_samples)
{
	(void) n, (void) c, (void) on;
	*ret_samples = (struct network_samples){0};
	return OK;
}

/* Every member answers. */
static RESULT sim_see_probes(struct vnet *n, struct ctx *c, struct network_probe *probes, size_t count)
{
	(void) n;
	TRY(begin_call(c));
	for (size_t k = 0; k < count; k++)
		probes[k].result = NETWORK_PROBE_UP;
	return end_call(c, OK);
}

/* ---- looking ---- */

static RESULT sim_see(struct vnet *n, struct ctx *c, struct network_health *ret_health)
{
	(void) n;
	(void) c;
	pthread_mutex_lock(&sim.lock);
	*ret_health = (struct network_health){.connected = !sim.cut, .chassis_count = -1};
	pthread_mutex_unlock(&sim.lock);
	return OK;
}

/* Every chassis is up to date immediately unless unreachable. */
static RESULT sim_see_chassis(struct vnet *n, struct ctx *c, struct str name, bool asks,
			      struct network_chassis *ret_chassis)
{
	(void) n;
	(void) asks;
	pthread_mutex_lock(&sim.lock);
	bool is_cut = sim.cut;
	pthread_mutex_unlock(&sim.lock);
	if (is_cut)
		return ctx_fail(c, ERR_GONE, "the network's database cannot be reached");
	*ret_chassis = (struct network_chassis){
		.is_known = true, .asked = 1, .followed = sim_compute_is_reached(name)};
	return OK;
}

static RESULT sim_see_bridges(struct vnet *n, struct ctx *c, struct str name, struct str *ret_words)
{
	(void) n;
	(void) c;
	(void) name;
	*ret_words = STR("physnet1 physnet2");
	return OK;
}

struct listing {
	struct arena *arena;
	VEC(struct network_item) items;
	bool failed;
};

static void list_thing(const void *node, VISIT visit, void *arg)
{
	struct listing *l = arg;
	const struct thing *thing = *(struct thing *const *) node;
	struct network_item item = {thing->kind, thing->id, STR("simulated")};
	if ((visit == postorder || visit == leaf) && thing->kind != NETWORK_ITEM_OTHER &&
	    !VEC_PUSH(l->arena, &l->items, item))
		l->failed = true;
}

static RESULT sim_list(struct vnet *n, struct ctx *c, struct network_inventory *ret_inventory)
{
	(void) n;
	struct listing l = {.arena = c->arena};
	TRY(begin_call(c));
	twalk_r(sim.things, list_thing, &l);
	TRY(end_call(c, l.failed ? ctx_no_memory(c) : OK));
	*ret_inventory = (struct network_inventory){l.items.at, l.items.count};
	return OK;
}

static void sim_watch(struct vnet *n, void (*changed)(void *arg, uuid port), void *arg)
{
	pthread_mutex_lock(&sim.lock);
	n->changed = changed;
	n->changed_arg = arg;
	pthread_mutex_unlock(&sim.lock);
}

static void sim_close(struct vnet *n)
{
	pthread_mutex_lock(&sim.lock);
	for (struct vnet **at = &sim.open; *at; at = &(*at)->next) {
		if (*at == n) {
			*at = n->next;
			break;
		}
	}
	pthread_mutex_unlock(&sim.lock);
	heap_free(n);
}

static const struct network_driver network_sim = {
	.see = sim_see,
	.see_chassis = sim_see_chassis,
	.see_bridges = sim_see_bridges,
	.apply_network = sim_apply_network,
	.remove_network = sim_remove_network,
	.apply_router = sim_apply_router,
	.remove_router = sim_remove_router,
	.apply_transit = sim_apply_transit,
	.remove_transit = sim_remove_transit,
	.apply_group = sim_apply_group,
	.remove_group = sim_remove_group,
	.apply_policy = sim_apply_policy,
	.remove_policy = sim_remove_policy,
	.apply_port = sim_apply_port,
	.remove_port = sim_remove_port,
	.apply_address = sim_apply_address,
	.remove_address = sim_remove_address,
	.see_probes = sim_see_probes,
	.sample_drops = sim_sample_drops,
	.list = sim_list,
	.watch = sim_watch,
	.close = sim_close,
};

RESULT network_sim_open(struct ctx *c, struct network_handle *ret_network)
{
	struct vnet *n = heap_new(struct vnet);
	if (!n)
		return ctx_no_memory(c);
	pthread_mutex_lock(&sim.lock);
	n->next = sim.open;
	sim.open = n;
	pthread_mutex_unlock(&sim.lock);
	*ret_network = (struct network_handle){&network_sim, n};
	return OK;
}

/* ---- test control ---- */

static void drop_thing(void *thing)
{
	heap_free(((struct thing *) thing)->networks);
	heap_free(thing);
}

void network_sim_reset(void)
{
	pthread_mutex_lock(&sim.lock);
	tdestroy(sim.things, drop_thing);
	sim.things = NULL;
	for (size_t k = 0; k < sizeof sim.counts / sizeof sim.counts[0]; k++)
		sim.counts[k] = 0;
	sim.cut = sim.late = false;
	pthread_mutex_unlock(&sim.lock);
}

void network_sim_cut(bool cut)
{
	pthread_mutex_lock(&sim.lock);
	bool turned = sim.cut != cut;
	sim.cut = cut;
	if (turned)
		notify(UUID_NONE);
	pthread_mutex_unlock(&sim.lock);
}

void network_sim_set_late(bool late)
{
	pthread_mutex_lock(&sim.lock);
	sim.late = late;
	pthread_mutex_unlock(&sim.lock);
}

static void bind_thing(const void *node, VISIT visit, void *arg)
{
	struct thing *thing = *(struct thing *const *) node;
	(void) arg;
	if ((visit != postorder && visit != leaf) || thing->kind != NETWORK_ITEM_PORT ||
	    !thing->has_chassis || thing->up)
		return;
	thing->up = true;
	notify(thing->id);
}

void network_sim_bind(void)
{
	pthread_mutex_lock(&sim.lock);
	twalk_r(sim.things, bind_thing, NULL);
	pthread_mutex_unlock(&sim.lock);
}

size_t network_sim_count(enum network_item_kind kind)
{
	pthread_mutex_lock(&sim.lock);
	size_t count = sim.counts[kind];
	pthread_mutex_unlock(&sim.lock);
	return count;
}

bool network_sim_has(enum network_item_kind kind, uuid id)
{
	pthread_mutex_lock(&sim.lock);
	bool has = find_thing(kind, id) != NULL;
	pthread_mutex_unlock(&sim.lock);
	return has;
}

bool network_sim_port_is_up(uuid port)
{
	pthread_mutex_lock(&sim.lock);
	const struct thing *thing = find_thing(NETWORK_ITEM_PORT, port);
	bool up = thing && thing->up;
	pthread_mutex_unlock(&sim.lock);
	return up;
}

bool network_sim_lose(enum network_item_kind kind, uuid id)
{
	pthread_mutex_lock(&sim.lock);
	bool lost = remove_thing(kind, id);
	pthread_mutex_unlock(&sim.lock);
	return lost;
}
