/* SPDX-License-Identifier: Apache-2.0
 * The network driver for OVN's northbound database. Each apply plans the desired rows (nb.h), compares them
 * with the cached database (wish.h), and sends the difference as one transaction. Nothing else is remembered:
 * after a crash or a lost connection the next apply sees the actual state.
 *
 * The driver never waits for a host: see() reports northd's progress, and watch() a port's binding. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fault.h"
#include "base/heap.h"
#include "drivers/ovn/nb.h"
#include "drivers/ovn/nb_samples.h"
#include "drivers/ovn/sb_binding.h"
#include "drivers/ovn/sb_monitor.h"
#include "drivers/ovsdb/ovsdb.h"
#include "model/address.h"
#include "model/network.h"
#include "model/port.h"
#include "model/port_policy.h"
#include "model/router.h"
#include "model/security_group.h"
#include "model/transit_gateway.h"

struct vnet {
	struct ovsdb *northbound, *southbound; /* southbound: NULL if not configured */
	uuid region;
	char region_text[UUID_TEXT_SIZE];
	struct epoch epoch;                    /* in each transaction with northbound */
	atomic_int sending;                    /* our transactions in progress */
	void (*changed)(void *arg, uuid port); /* set with the client's lock held, by ovsdb_watch() */
	void *changed_arg;
};

/* ---- one step: compare, and send what differs ---- */

struct step {
	struct wish *wish;
	json_t *ops; /* NULL: no difference */
	bool up;     /* the port's binding before this step */
};

static const char *find_global(const struct ovsdb_cache *cache)
{
	return json_object_iter_key(json_object_iter(ovsdb_cache_table(cache, "NB_Global")));
}

/* Increments nb_cfg within the transaction; northd copies it to sb_cfg once it has processed the
 * transaction. */
static RESULT add_bump(struct ctx *c, const struct ovsdb_cache *cache, json_t *ops)
{
	const char *global = find_global(cache);
	if (!global)
		return OK; /* northd creates the row in a new database */
	json_t *bump =
		json_pack("{s:s,s:s,s:[[s,s,o]],s:[[s,s,i]]}", "op", "mutate", "table", "NB_Global", "where",
			  "_uuid", "==", ovsdb_uuid_write(global), "mutations", "nb_cfg", "+=", 1);
	return json_array_append_new(ops, bump) == 0 ? OK : ctx_no_memory(c);
}

static RESULT read_step(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct step *step = arg;
	char id[UUID_TEXT_SIZE];
	const json_t *port = ovsdb_cache_row(cache, "Logical_Switch_Port", uuid_write(step->wish->scope, id));
	step->up = json_is_true(json_object_get(port, "up"));
	nb_plan_forget_names(step->wish, port);
	TRY(wish_diff(c, step->wish, cache, &step->ops));
	return step->ops ? add_bump(c, cache, step->ops) : OK;
}

static RESULT transact(struct vnet *n, struct ctx *c, const json_t *ops, json_t **ret_results)
{
	atomic_fetch_add(&n->sending, 1);
	struct result r = epoch_transact(n->northbound, c, &n->epoch, ops, ret_results);
	atomic_fetch_sub(&n->sending, 1);
	return r;
}

static RESULT send_step(struct vnet *n, struct ctx *c, const struct step *step)
{
	json_t *results = NULL;
	struct result r = transact(n, c, step->ops, &results);
	if (!r.code)
		r = wish_check_results(c, step->ops, results);
	json_decref(results);
	return r;
}

/* ret_changed may be NULL. */
static RESULT apply(struct vnet *n, struct ctx *c, struct wish *w, struct step *ret_step)
{
	struct step step = {.wish = w};
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_IO, "the network driver was made to fail");
	struct result r = ovsdb_with_cache(n->northbound, c, read_step, &step);
	bool differs = step.ops != NULL;
	if (!r.code && differs)
		r = send_step(n, c, &step);
	json_decref(step.ops);
	if (!r.code && differs && fault_fires(FAULT_DRIVER))
		r = ctx_fail(c, ERR_TIMEOUT, "the network driver was made to fail after its effect");
	step.ops = NULL;
	step.up = step.up && !differs; /* the change may move the binding; the watch reports it */
	if (ret_step)
		*ret_step = step;
	return r;
}

static RESULT apply_empty(struct vnet *n, struct ctx *c, uuid scope, const char *kind)
{
	struct wish w;
	wish_init(&w, c->arena, n->region, scope, kind);
	struct result r = apply(n, c, &w, NULL);
	wish_free(&w);
	return r;
}

/* ---- shared rows that nobody needs any more ---- */

struct sweep {
	struct vnet *n;
	json_t *ops;
};

/* True for the default-deny group without ports, and an external switch with only its localnet port. */
static bool is_unused(const char *table, const json_t *row)
{
	size_t ports = json_object_size(json_object_get(row, "ports"));
	return (strcmp(table, "Port_Group") == 0 && ports == 0) ||
	       (strcmp(table, "Logical_Switch") == 0 && ports <= 1);
}

static RESULT read_sweep(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	static const char *const tables[] = {"Port_Group", "Logical_Switch"};
	struct sweep *sweep = arg;
	const char *key;
	json_t *ignored;
	json_object_foreach (ovsdb_cache_scope(cache, sweep->n->region_text), key, ignored) {
		for (size_t k = 0; k < sizeof tables / sizeof tables[0]; k++) {
			size_t n = strlen(tables[k]);
			if (strncmp(key, tables[k], n) != 0 || key[n] != '/')
				continue;
			const json_t *row = ovsdb_cache_row(cache, tables[k], key + n + 1);
			if (!is_unused(tables[k], row))
				continue;
			json_t *op = json_pack("{s:s,s:s,s:[[s,s,o]]}", "op", "delete", "table", tables[k],
					       "where", "_uuid", "==", ovsdb_uuid_write(key + n + 1));
			if (json_array_append_new(sweep->ops, op) < 0)
				return ctx_no_memory(c);
		}
	}
	return json_array_size(sweep->ops) ? add_bump(c, cache, sweep->ops) : OK;
}

static RESULT sweep_shared(struct vnet *n, struct ctx *c)
{
	struct sweep sweep = {n, json_array()};
	struct result r = ovsdb_with_cache(n->northbound, c, read_sweep, &sweep);
	if (!r.code && json_array_size(sweep.ops) > 0)
		r = transact(n, c, sweep.ops, NULL);
	json_decref(sweep.ops);
	return r;
}

/* ---- the contract's functions ---- */

static RESULT ovn_apply_network(struct vnet *n, struct ctx *c, const struct network_segment *wish)
{
	struct wish w;
	wish_init(&w, c->arena, n->region, wish->network->row.id, NB_NETWORK);
	nb_plan_network(&w, wish);
	struct result r = apply(n, c, &w, NULL);
	wish_free(&w);
	return r;
}

static RESULT ovn_remove_network(struct vnet *n, struct ctx *c, uuid network)
{
	return apply_empty(n, c, network, NB_NETWORK);
}

static RESULT ovn_apply_router(struct vnet *n, struct ctx *c, const struct network_router *wish)
{
	struct wish w;
	wish_init(&w, c->arena, n->region, wish->router->row.id, NB_ROUTER);
	nb_plan_router(&w, wish);
	struct result r = apply(n, c, &w, NULL);
	wish_free(&w);
	TRY(r);
	return sweep_shared(n, c); /* the router may have been the last on an external network */
}

static RESULT ovn_remove_router(struct vnet *n, struct ctx *c, uuid router)
{
	TRY(apply_empty(n, c, router, NB_ROUTER));
	return sweep_shared(n, c);
}

static RESULT ovn_apply_transit(struct vnet *n, struct ctx *c, const struct network_transit *wish)
{
	struct wish w;
	wish_init(&w, c->arena, n->region, wish->gateway->row.id, NB_TRANSIT);
	nb_plan_transit(&w, wish);
	struct result r = apply(n, c, &w, NULL);
	wish_free(&w);
	return r;
}

static RESULT ovn_remove_transit(struct vnet *n, struct ctx *c, uuid gateway)
{
	return apply_empty(n, c, gateway, NB_TRANSIT);
}

static RESULT ovn_apply_group(struct vnet *n, struct ctx *c, const struct network_group *wish)
{
	struct wish w;
	wish_init(&w, c->arena, n->region, wish->group->row.id, NB_GROUP);
	nb_plan_group(&w, wish);
	struct result r = apply(n, c, &w, NULL);
	wish_free(&w);
	return r;
}

static RESULT ovn_remove_group(struct vnet *n, struct ctx *c, uuid group)
{
	return apply_empty(n, c, group, NB_GROUP);
}

static RESULT ovn_apply_policy(struct vnet *n, struct ctx *c, const struct network_policy *wish)
{
	struct wish w;
	wish_init(&w, c->arena, n->region, wish->policy->row.id, NB_POLICY);
	nb_plan_policy(&w, wish);
	struct result r = apply(n, c, &w, NULL);
	wish_free(&w);
	return r;
}

static RESULT ovn_remove_policy(struct vnet *n, struct ctx *c, uuid policy)
{
	return apply_empty(n, c, policy, NB_POLICY);
}

/* True if only the wanted chassis has bound the port. The northbound row stays up while a binding moves
 * between hosts, so this reads the southbound database. */
static bool is_bound_alone(struct vnet *n, struct ctx *c, const struct network_port *wish)
{
	json_t *results = NULL;
	json_t *ops = sb_binding_ask(wish->port->row.id, wish->chassis);
	if (!ops || epoch_select(n->southbound, c, ops, &results).code)
		ctx_clear_problem(c); /* asked again later */
	bool is_alone = sb_binding_is_alone(results);
	json_decref(ops);
	json_decref(results);
	return is_alone;
}

static RESULT ovn_apply_port(struct vnet *n, struct ctx *c, const struct network_port *wish, bool *ret_up)
{
	struct wish w;
	struct step step;
	wish_init(&w, c->arena, n->region, wish->port->row.id, NB_PORT);
	nb_plan_port(&w, wish);
	struct result r = apply(n, c, &w, &step);
	wish_free(&w);
	if (!r.code)
		*ret_up = step.up && (!wish->is_settling || !n->southbound || is_bound_alone(n, c, wish));
	return r;
}

static RESULT ovn_remove_port(struct vnet *n, struct ctx *c, uuid port)
{
	TRY(apply_empty(n, c, port, NB_PORT));
	return sweep_shared(n, c);
}

static RESULT ovn_apply_address(struct vnet *n, struct ctx *c, const struct network_address *wish)
{
	struct wish w;
	wish_init(&w, c->arena, n->region, wish->address->row.id, NB_ADDRESS);
	nb_plan_address(&w, wish);
	struct result r = apply(n, c, &w, NULL);
	wish_free(&w);
	return r;
}

static RESULT ovn_remove_address(struct vnet *n, struct ctx *c, uuid address)
{
	return apply_empty(n, c, address, NB_ADDRESS);
}

static RESULT ovn_see_probes(struct vnet *n, struct ctx *c, struct network_probe *probes, size_t count)
{
	json_t *results = NULL;
	if (!n->southbound)
		return ctx_fail(c, ERR_UNSUPPORTED, "The southbound database is not configured.");
	json_t *ops = sb_monitor_ask();
	struct result r = ops ? epoch_select(n->southbound, c, ops, &results) : ctx_no_memory(c);
	if (!r.code)
		sb_monitor_read(results, probes, count);
	json_decref(ops);
	json_decref(results);
	return r;
}

/* ---- samples of drops ---- */

struct sampling {
	bool on;
	json_t *ops; /* NULL: it is so already */
};

static RESULT plan_samples(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct sampling *sampling = arg;
	const char *global = find_global(cache);
	const json_t *row = global ? ovsdb_cache_row(cache, "NB_Global", global) : NULL;
	if (!row || nb_samples_are(json_object_get(row, "options"), sampling->on))
		return OK;
	sampling->ops = nb_samples_ops(global, sampling->on);
	return sampling->ops ? OK : ctx_no_memory(c);
}

static RESULT ovn_sample_drops(struct vnet *n, struct ctx *c, bool on, struct network_samples *ret_samples)
{
	struct sampling sampling = {.on = on};
	json_t *results = NULL;
	*ret_samples = (struct network_samples){0};
	if (on && !n->southbound)
		return ctx_fail(c, ERR_UNSUPPORTED, "The southbound database is not configured.");
	TRY(ovsdb_with_cache(n->northbound, c, plan_samples, &sampling));
	struct result r = sampling.ops ? transact(n, c, sampling.ops, NULL) : OK;
	json_decref(sampling.ops);
	if (r.code || !on)
		return r;
	json_t *ops = nb_samples_ask();
	r = ops ? epoch_select(n->southbound, c, ops, &results) : ctx_no_memory(c);
	json_decref(ops);
	if (!r.code)
		r = nb_samples_read(c, results, ret_samples);
	json_decref(results);
	return r;
}

/* ---- looking ---- */

static RESULT read_health(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct network_health *health = arg;
	(void) c;
	const char *global = find_global(cache);
	const json_t *row = global ? ovsdb_cache_row(cache, "NB_Global", global) : NULL;
	health->lag = json_integer_value(json_object_get(row, "nb_cfg")) -
		      json_integer_value(json_object_get(row, "sb_cfg"));
	return OK;
}

static RESULT read_chassis(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct network_health *health = arg;
	(void) c;
	health->chassis_count = (int64_t) json_object_size(ovsdb_cache_table(cache, "Chassis"));
	return OK;
}

static RESULT ovn_see(struct vnet *n, struct ctx *c, struct network_health *ret_health)
{
	struct network_health health = {.connected = true, .chassis_count = -1};
	if (ovsdb_with_cache(n->northbound, c, read_health, &health).code)
		health = (struct network_health){.chassis_count = -1, .problem = c->problem.message};
	if (n->southbound)
		IGNORE(ovsdb_with_cache(n->southbound, c, read_chassis, &health)); /* stays unknown */
	ctx_clear_problem(c); /* an unreachable database is an answer, too */
	*ret_health = health;
	return OK;
}

/* ---- chassis */

struct counted {
	const char *global; /* in the arena; NULL: northd has not created it yet */
};

static RESULT read_global(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct counted *counted = arg;
	const char *global = find_global(cache);
	counted->global = global ? str_to_z(c->arena, str_from(global)) : NULL;
	return OK;
}

/* Reads the first row found by a select; false: none. */
static bool read_selected(const json_t *results, size_t at, int64_t *ret_nb_cfg)
{
	const json_t *row = json_array_get(json_object_get(json_array_get(results, at), "rows"), 0);
	*ret_nb_cfg = json_integer_value(json_object_get(row, "nb_cfg"));
	return row != NULL;
}

static RESULT select_chassis(struct vnet *n, struct ctx *c, struct str name,
			     struct network_chassis *ret_chassis)
{
	json_t *results = NULL;
	json_t *ops =
		json_pack("[{s:s,s:s,s:[],s:[s]},{s:s,s:s,s:[[s,s,s%]],s:[s]}]", "op", "select", "table",
			  "SB_Global", "where", "columns", "nb_cfg", "op", "select", "table",
			  "Chassis_Private", "where", "name", "==", name.p, name.n, "columns", "nb_cfg");
	if (!ops)
		return ctx_no_memory(c);
	struct result r = epoch_select(n->southbound, c, ops, &results);
	json_decref(ops);
	if (!r.code)
		ret_chassis->is_known = read_selected(results, 0, &ret_chassis->asked) &&
					read_selected(results, 1, &ret_chassis->followed);
	json_decref(results);
	return r;
}

static RESULT raise_count(struct vnet *n, struct ctx *c)
{
	struct counted counted = {0};
	TRY(ovsdb_with_cache(n->northbound, c, read_global, &counted));
	if (!counted.global)
		return OK;
	json_t *ops = json_pack("[{s:s,s:s,s:[[s,s,o]],s:[[s,s,i]]}]", "op", "mutate", "table", "NB_Global",
				"where", "_uuid", "==", ovsdb_uuid_write(counted.global), "mutations",
				"nb_cfg", "+=", 1);
	if (!ops)
		return ctx_no_memory(c);
	struct result r = transact(n, c, ops, NULL);
	json_decref(ops);
	return r;
}

static RESULT ovn_see_chassis(struct vnet *n, struct ctx *c, struct str name, bool asks,
			      struct network_chassis *ret_chassis)
{
	*ret_chassis = (struct network_chassis){0};
	if (!n->southbound)
		return OK;
	TRY(select_chassis(n, c, name, ret_chassis));
	bool has_followed = ret_chassis->is_known && ret_chassis->followed >= ret_chassis->asked;
	return asks && has_followed ? raise_count(n, c) : OK;
}

struct bridges {
	struct str chassis, words;
};

/* Reads the bridge mappings that ovn-controller reports, for example "physnet1:br-ex,physnet2:br-ex2". */
static RESULT read_bridges(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct bridges *bridges = arg;
	const char *key;
	json_t *row;
	json_object_foreach (ovsdb_cache_table(cache, "Chassis"), key, row) {
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *mappings = json_string_value(
			json_object_get(json_object_get(row, "other_config"), "ovn-bridge-mappings"));
		struct str rest = str_from(mappings ? mappings : ""), mapping = STR_NONE, physical = STR_NONE;
		if (!name || !str_is(bridges->chassis, name))
			continue;
		while (str_split_next(&rest, ',', &mapping)) {
			bool has_bridge = str_split_next(&mapping, ':', &physical);
			if (has_bridge && str_trim(physical).n)
				bridges->words = str_print(
					c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(bridges->words),
					bridges->words.n ? " " : "", STR_ARG(str_trim(physical)));
		}
	}
	return OK;
}

static RESULT ovn_see_bridges(struct vnet *n, struct ctx *c, struct str name, struct str *ret_words)
{
	struct bridges bridges = {.chassis = name};
	*ret_words = STR_NONE;
	if (!n->southbound)
		return OK;
	TRY(ovsdb_with_cache(n->southbound, c, read_bridges, &bridges));
	*ret_words = bridges.words;
	return OK;
}

struct listing {
	struct vnet *n;
	json_t *seen; /* {"kind/id": true} */
	VEC(struct network_item) items;
};

static enum network_item_kind parse_kind(const char *word)
{
	static const char *const words[] = {[NETWORK_ITEM_ROUTER] = NB_ROUTER,
					    [NETWORK_ITEM_NETWORK] = NB_NETWORK,
					    [NETWORK_ITEM_PORT] = NB_PORT,
					    [NETWORK_ITEM_GROUP] = NB_GROUP,
					    [NETWORK_ITEM_ADDRESS] = NB_ADDRESS,
					    [NETWORK_ITEM_POLICY] = NB_POLICY,
					    [NETWORK_ITEM_TRANSIT_GATEWAY] = NB_TRANSIT};
	for (unsigned k = 0; k < sizeof words / sizeof words[0]; k++)
		if (word && strcmp(words[k], word) == 0)
			return (enum network_item_kind) k;
	return NETWORK_ITEM_OTHER;
}

static RESULT list_row(struct listing *l, struct ctx *c, const char *table, const json_t *row)
{
	struct network_item item = {.kind = parse_kind(ovsdb_row_mark(row, MARK_KIND))};
	const char *region = ovsdb_row_mark(row, MARK_REGION), *id = ovsdb_row_mark(row, MARK_ID);
	const char *name = json_string_value(json_object_get(row, "name"));
	if (!region || strcmp(region, l->n->region_text) != 0 || !id ||
	    uuid_parse(str_from(id), &item.id).code)
		return OK;
	struct str key = str_print(c->arena, "%d/%s", (int) item.kind, id);
	if (!key.p)
		return ctx_no_memory(c);
	if (json_object_get(l->seen, key.p))
		return OK;
	item.words = name ? str_print(c->arena, "%s %s", table, name) : str_copy(c->arena, str_from(table));
	if (json_object_set_new(l->seen, key.p, json_true()) < 0 || !VEC_PUSH(c->arena, &l->items, item))
		return ctx_no_memory(c);
	return OK;
}

static RESULT read_list(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct listing *l = arg;
	const char *table, *id;
	json_t *rows, *row;
	json_object_foreach (cache->tables, table, rows)
		json_object_foreach (rows, id, row)
			TRY(list_row(l, c, table, row));
	return OK;
}

static RESULT ovn_list(struct vnet *n, struct ctx *c, struct network_inventory *ret_inventory)
{
	struct listing l = {.n = n, .seen = json_object()};
	struct result r = ovsdb_with_cache(n->northbound, c, read_list, &l);
	json_decref(l.seen);
	if (!r.code)
		*ret_inventory = (struct network_inventory){l.items.at, l.items.count};
	return r;
}

/* ---- watching ---- */

static bool is_of_region(const struct vnet *n, const json_t *row)
{
	const char *region = ovsdb_row_mark(row, MARK_REGION);
	return region && strcmp(region, n->region_text) == 0;
}

/* Reports foreign deletions: our rows are deleted by us alone, so whoever deletes one of them (or all) may
 * have deleted others too, and everything is checked again. A deletion during one of our own transactions is
 * missed; the next resync finds it. */
static void note_row(void *arg, const struct ovsdb_change *change)
{
	struct vnet *n = arg;
	uuid port;
	if (change->gone && is_of_region(n, change->gone) && atomic_load(&n->sending) == 0)
		n->changed(n->changed_arg, UUID_NONE);
	if (strcmp(change->table, "Logical_Switch_Port") != 0 || !change->row)
		return;
	const char *kind = ovsdb_row_mark(change->row, MARK_KIND);
	if (is_of_region(n, change->row) && kind && strcmp(kind, NB_PORT) == 0 &&
	    json_object_get(change->columns, "up") && !uuid_parse(str_from(change->id), &port).code)
		n->changed(n->changed_arg, port);
}

static void note_connection(void *arg, bool up)
{
	struct vnet *n = arg;
	(void) up;
	n->changed(n->changed_arg, UUID_NONE);
}

static void ovn_watch(struct vnet *n, void (*changed)(void *arg, uuid port), void *arg)
{
	ovsdb_watch(n->northbound, NULL); /* takes the client's lock, so no callback is running afterwards */
	n->changed = changed;
	n->changed_arg = arg;
	if (changed)
		ovsdb_watch(n->northbound, &(struct ovsdb_watcher){.changed = note_row,
								   .connection = note_connection,
								   .arg = n});
}

/* ---- opening ---- */

static void ovn_close(struct vnet *n)
{
	if (!n)
		return;
	ovsdb_close(n->northbound);
	ovsdb_close(n->southbound);
	heap_free(n);
}

static const struct network_driver network_ovn = {
	.see = ovn_see,
	.see_chassis = ovn_see_chassis,
	.see_bridges = ovn_see_bridges,
	.apply_network = ovn_apply_network,
	.remove_network = ovn_remove_network,
	.apply_router = ovn_apply_router,
	.remove_router = ovn_remove_router,
	.apply_transit = ovn_apply_transit,
	.remove_transit = ovn_remove_transit,
	.apply_group = ovn_apply_group,
	.remove_group = ovn_remove_group,
	.apply_policy = ovn_apply_policy,
	.remove_policy = ovn_remove_policy,
	.apply_port = ovn_apply_port,
	.remove_port = ovn_remove_port,
	.apply_address = ovn_apply_address,
	.remove_address = ovn_remove_address,
	.see_probes = ovn_see_probes,
	.sample_drops = ovn_sample_drops,
	.list = ovn_list,
	.watch = ovn_watch,
	.close = ovn_close,
};

RESULT ovn_open(struct ctx *c, const struct ovn_config *config, struct network_handle *ret_network)
{
	const struct ovsdb_tls tls = {config->authority, config->certificate, config->key};
	struct ovsdb_config nb = {config->northbound, &nb_schema, config->timeout_us, tls};
	struct ovsdb_config sb = {config->southbound, &sb_schema, config->timeout_us, tls};
	struct vnet *n = heap_new(struct vnet);
	if (!n)
		return ctx_no_memory(c);
	n->region = config->region;
	uuid_write(n->region, n->region_text);
	n->epoch.region = n->region_text;
	struct result r = ovsdb_open(c, &nb, &n->northbound);
	if (!r.code && sb.address.n)
		r = ovsdb_open(c, &sb, &n->southbound);
	if (r.code) {
		ovn_close(n);
		return r;
	}
	*ret_network = (struct network_handle){&network_ovn, n};
	return OK;
}

void ovn_set_epoch(const struct network_handle *network, int64_t epoch)
{
	struct vnet *n = network->self;
	n->epoch.number = epoch;
}
