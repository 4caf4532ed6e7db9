/* SPDX-License-Identifier: Apache-2.0
 * Each question runs the operations, notes the results, and goes back to the savepoint at which it began. */
#include "engine/instance/placement/whatif.h"

#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/balance.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/instance/placement/placement.h"
#include "engine/internal.h"
#include "engine/region/host.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"

#define ADDITION_NAME "the-new-host"
enum { CPUS_MAX = 65536 };
#define SIZE_MAX_BYTES (INT64_C(1) << 50)

struct machines {
	struct whatif_machine *at;
	size_t count, capacity;
};
struct ids {
	uuid *at;
	size_t count, capacity;
};

/* ---- hypothetical host ---- */

static const struct host *find_example(const struct tables *t)
{
	const struct host *h = host_first(t);
	while (h && h->seen_state != HOST_SEEN_STATE_UP)
		h = host_next(t, h);
	return h;
}

static int64_t largest_disk(const struct tables *t)
{
	int64_t disk = 0;
	for (const struct host *h = host_first(t); h; h = host_next(t, h))
		disk = h->seen_disk > disk ? h->seen_disk : disk;
	return disk;
}

/* Copies the properties of an existing host, so that running guests could be migrated to it. */
static RESULT add(struct op *op, const struct whatif_addition *a)
{
	const struct host *example = find_example(op->head);
	struct host_wish wish = {.name = STR(ADDITION_NAME),
				 .zone = a->zone,
				 .uri = STR("sim://"),
				 .pool_path = example ? example->pool_path : STR("/"),
				 .overcommit_percent = example ? example->overcommit_percent : 0,
				 .reserved_memory = example ? example->reserved_memory : -1};
	if (a->cpus < 1 || a->cpus > CPUS_MAX || a->memory < 1 || a->memory > SIZE_MAX_BYTES || a->disk < 0 ||
	    a->disk > SIZE_MAX_BYTES)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_HOST, "No host has such a size.");
	TRY(engine_add_host(op, &wish));
	struct host_report report = {.host = wish.host,
				     .state = HOST_SEEN_STATE_UP,
				     .has_facts = true,
				     .cpus = a->cpus,
				     .cores = 1,
				     .sockets = 1,
				     .memory = a->memory,
				     .disk = a->disk ? a->disk : largest_disk(op->head)};
	if (example) {
		report.virt = example->seen_virt;
		report.version = example->seen_version;
	}
	return engine_see_host(op, &report);
}

/* ---- results ---- */

static RESULT copy_name(struct op *op, uuid host, struct str *ret_name)
{
	const struct host *h = host_find(op->head, host);
	*ret_name = h ? str_copy(op->ctx->arena, h->name) : STR_NONE;
	return h && !ret_name->p ? ctx_no_memory(op->ctx) : OK;
}

static RESULT note(struct op *op, struct machines *list, struct whatif_machine machine, uuid host)
{
	TRY(copy_name(op, host, &machine.host));
	return VEC_PUSH(op->ctx->arena, list, machine) ? OK : ctx_no_memory(op->ctx);
}

static RESULT explain(struct op *op, uuid id, struct str *ret_why)
{
	struct placement_need need;
	struct placement placement;
	struct placement_report report;
	instance_get_need(op->head, instance_find(op->head, id), &need);
	TRY(placement_begin(op->ctx, op->head, &need, &placement));
	placement_report(&placement, &report);
	*ret_why = placement_explain(op->ctx->arena, &report);
	return OK;
}

/* Places the instance as the reconciler would. */
static RESULT place(struct op *op, struct machines *list, uuid id)
{
	struct instance_placing placing = {.instance = id};
	struct whatif_machine machine = {.instance = id};
	TRY(engine_place_instance(op, &placing));
	if (!placing.placed)
		TRY(explain(op, id, &machine.why));
	return note(op, list, machine, placing.placed ? instance_find(op->head, id)->host : UUID_NONE);
}

static RESULT place_each(struct op *op, const struct ids *ids, struct whatif *wish)
{
	struct machines list = {0};
	for (size_t k = 0; k < ids->count && k < WHATIF_MACHINES_MAX; k++)
		TRY(place(op, &list, ids->at[k]));
	wish->machines = list.at;
	wish->machine_count = list.count;
	wish->is_cut = ids->count > WHATIF_MACHINES_MAX;
	return OK;
}

/* ---- questions ---- */

static bool wants_host(const struct instance *i)
{
	return row_is_live(&i->row) && !i->wanted_shelved && !i->destroyed_us &&
	       model_derive_instance_state(i) != INSTANCE_TERMINATED;
}

/* Instances without a host, in order of ids. */
static RESULT ask_waiting(struct op *op, struct whatif *wish)
{
	struct ids ids = {0};
	for (const struct instance *i = instance_first_by_host(op->head, UUID_NONE); i;
	     i = instance_next_by_host(op->head, i))
		if (wants_host(i) && !VEC_PUSH(op->ctx->arena, &ids, i->row.id))
			return ctx_no_memory(op->ctx);
	return place_each(op, &ids, wish);
}

static RESULT leave_host(struct op *op, uuid id)
{
	struct instance next = *instance_find(op->head, id);
	next.host = UUID_NONE;
	return instance_put(op, &next);
}

static RESULT ask_down(struct op *op, const struct host *host, struct whatif *wish)
{
	struct host down = *host;
	struct ids ids = {0};
	down.forced_down = true;
	TRY(host_put(op, &down));
	for (const struct instance *i = instance_first_by_host(op->head, down.row.id); i;
	     i = instance_next_by_host(op->head, i))
		if (wants_host(i) && !VEC_PUSH(op->ctx->arena, &ids, i->row.id))
			return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < ids.count; k++)
		TRY(leave_host(op, ids.at[k]));
	return place_each(op, &ids, wish);
}

static RESULT ask_drain(struct op *op, struct whatif *wish)
{
	struct host_draining draining = {.host = wish->host};
	struct machines list = {0};
	TRY(engine_drain_host(op, &draining));
	for (size_t k = 0; k < draining.instance_count && k < WHATIF_MACHINES_MAX; k++) {
		const struct drained_instance *i = &draining.instances[k];
		struct whatif_machine machine = {.instance = i->instance, .why = i->why};
		TRY(note(op, &list, machine, i->why.n ? UUID_NONE : i->target));
	}
	wish->machines = list.at;
	wish->machine_count = list.count;
	wish->is_cut = draining.instance_count > WHATIF_MACHINES_MAX;
	return OK;
}

static RESULT list_hosts(struct op *op, struct strs *ret_names)
{
	size_t count = 0;
	struct str *names =
		arena_new_array(op->ctx->arena, struct str, tables_count(op->head, KIND_HOST) + 1);
	if (!names)
		return ctx_no_memory(op->ctx);
	for (const struct host *h = host_first(op->head); h; h = host_next(op->head, h))
		names[count++] = str_copy(op->ctx->arena, h->name);
	*ret_names = (struct strs){names, count};
	return OK;
}

static RESULT ask(struct op *op, struct whatif *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit(op, "host.enable", KIND_HOST, NULL));
	if (wish->event == WHATIF_NOTHING)
		TRY(list_hosts(op, &wish->hosts));
	if (wish->addition)
		TRY(add(op, wish->addition));
	if (wish->event == WHATIF_NOTHING)
		return ask_waiting(op, wish);
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	return wish->event == WHATIF_DRAIN ? ask_drain(op, wish) : ask_down(op, host, wish);
}

RESULT engine_answer_whatif(struct op *op, struct whatif *wish)
{
	struct op_place place = op_place_now(op);
	struct result result = ask(op, wish);
	op_go_back(op, place);
	return result;
}

/* ---- load balancing ---- */

struct planning {
	struct op *op;
	struct balance balance;
	uuid *hosts, *machines;
	size_t tries;
	struct result result; /* failure of the engine itself, which ends the planning */
};

static RESULT gather_hosts(struct planning *p)
{
	const struct tables *t = p->op->head;
	size_t count = tables_count(t, KIND_HOST);
	p->hosts = arena_new_array(p->op->ctx->arena, uuid, count + 1);
	p->balance.hosts = arena_new_array(p->op->ctx->arena, struct balance_host, count + 1);
	if (!p->hosts || !p->balance.hosts)
		return ctx_no_memory(p->op->ctx);
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		const struct host_usage *use = host_usage(h);
		bool is_up = h->seen_state == HOST_SEEN_STATE_UP && !h->forced_down;
		if (!is_up) /* such hosts neither send nor accept instances */
			continue;
		p->hosts[p->balance.host_count] = h->row.id;
		p->balance.hosts[p->balance.host_count++] =
			(struct balance_host){.zone = h->zone,
					      .vcpus = h->seen_cpus * h->overcommit_percent / 100,
					      .memory = h->seen_memory - h->reserved_memory,
					      .used_vcpus = use->vcpus,
					      .used_memory = use->memory,
					      .is_open = engine_is_host_open(h)};
	}
	return OK;
}

static RESULT gather_machines(struct planning *p)
{
	const struct tables *t = p->op->head;
	struct ids ids = {0};
	VEC(struct balance_machine) machines = {0};
	for (size_t k = 0; k < p->balance.host_count; k++)
		for (const struct instance *i = instance_first_by_host(t, p->hosts[k]); i;
		     i = instance_next_by_host(t, i)) {
			struct balance_machine machine = {.host = k, .vcpus = i->vcpus, .memory = i->memory};
			if (model_derive_instance_state(i) == INSTANCE_RUNNING &&
			    (!VEC_PUSH(p->op->ctx->arena, &ids, i->row.id) ||
			     !VEC_PUSH(p->op->ctx->arena, &machines, machine)))
				return ctx_no_memory(p->op->ctx);
		}
	p->machines = ids.at;
	p->balance.machines = machines.at;
	p->balance.machine_count = ids.count;
	return OK;
}

/* Asks the engine, on the head as the previous moves have left it. */
static bool may_go(void *arg, size_t machine, size_t host)
{
	struct planning *p = arg;
	const struct tables *t = p->op->head;
	if (p->tries++ >= REBALANCING_TRIES_MAX || !result_is_ok(p->result))
		return false;
	struct result result = engine_check_migration(p->op->ctx, t, instance_find(t, p->machines[machine]),
						      host_find(t, p->hosts[host]));
	if (result_is_ok(result) || engine_is_refusal(result.code))
		ctx_clear_problem(p->op->ctx);
	else
		p->result = result;
	return result_is_ok(result);
}

static RESULT make_move(struct planning *p, const struct balance_move *move, struct rebalancing *wish)
{
	struct op *op = p->op;
	uuid instance = p->machines[move->machine], host = p->hosts[move->host];
	struct instance_migrating migrating = {.instance =
						       engine_ref_to(op, KIND_INSTANCE, instance, STR_NONE),
					       .host = engine_ref_to(op, KIND_HOST, host, STR_NONE)};
	struct rebalancing_move *made = &wish->moves[wish->move_count++];
	*made = (struct rebalancing_move){.instance = instance,
					  .from_before = move->from_before,
					  .from_after = move->from_after,
					  .to_before = move->to_before,
					  .to_after = move->to_after};
	TRY(copy_name(op, p->hosts[p->balance.machines[move->machine].host], &made->from));
	TRY(copy_name(op, host, &made->to));
	TRY(engine_migrate_instance(op, &migrating));
	balance_make(&p->balance, move);
	return OK;
}

static void write_range(const struct balance *b, int *ret_fullest, int *ret_emptiest)
{
	*ret_fullest = *ret_emptiest = 0;
	for (size_t k = 0, seen = 0; k < b->host_count; k++) {
		int load = balance_load(&b->hosts[k]);
		if (!b->hosts[k].is_open)
			continue;
		*ret_fullest = load > *ret_fullest ? load : *ret_fullest;
		*ret_emptiest = !seen++ || load < *ret_emptiest ? load : *ret_emptiest;
	}
}

static RESULT plan(struct op *op, struct rebalancing *wish)
{
	struct planning p = {.op = op, .result = OK};
	struct balance_move move;
	TRY(engine_permit(op, "instance.migrate", KIND_INSTANCE, NULL));
	TRY(gather_hosts(&p));
	TRY(gather_machines(&p));
	p.balance.may = may_go;
	p.balance.arg = &p;
	write_range(&p.balance, &wish->fullest_before, &wish->emptiest_before);
	while (wish->move_count < wish->move_cap && wish->move_count < REBALANCING_MOVES_MAX &&
	       balance_next(&p.balance, &move))
		TRY(make_move(&p, &move, wish));
	TRY(p.result);
	write_range(&p.balance, &wish->fullest_after, &wish->emptiest_after);
	return OK;
}

RESULT engine_plan_rebalancing(struct op *op, struct rebalancing *wish)
{
	struct op_place place = op_place_now(op);
	wish->move_count = 0;
	struct result result = plan(op, wish);
	op_go_back(op, place);
	return result;
}
