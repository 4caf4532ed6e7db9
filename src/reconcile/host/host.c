/* SPDX-License-Identifier: Apache-2.0
 * Steps of hosts: connect, probe periodically, reconnect. A host that has come back wakes everything on it.
 * Domains on it that have no row are reported and left alone. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "drivers/compute.h"
#include "engine/instance/instance_event.h"
#include "engine/instance/placement/placement.h"
#include "engine/region/fence.h"
#include "engine/region/host.h"
#include "model/condition.h"
#include "model/fence.h"
#include "model/processor.h"
#include "reconcile/work.h"
#include "store/host.h"
#include "store/instance.h"

#define ROUND_NEVER UINT64_MAX

/* free share of a pool below which it counts as full: guests may then run out of space */
enum { FULL_PERCENT = 3 };

/* ---- the connection ---- */

/* Callback of the driver, on any thread: only posts. */
static void host_changed(void *arg, uuid id)
{
	struct rec_host *h = arg;
	if (uuid_is_none(id))
		work_wake(h->reconciler, h->lane, KIND_HOST, h->id, WAKE_NEWS);
	else
		work_wake(h->reconciler, h->lane, KIND_INSTANCE, id, WAKE_NEWS);
}

static RESULT connect_host(struct step *s, const struct host *row)
{
	struct rec_host *h = s->host;
	struct host_connection *connection = s->connection;
	host_connection_disconnect(connection);
	connection->driver = hosts_driver(s->r, row->uri, &connection->driver_self);
	if (!connection->driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "no driver for the host's address %" STR_FMT,
				STR_ARG(row->uri));
	TRY(connection->driver->open_host(connection->driver_self, &s->ctx, s->r->region, row,
					  &connection->connection));
	connection->gen = row->row.gen;
	connection->is_fresh = true;
	connection->round = ROUND_NEVER;
	connection->driver->watch(connection->connection, host_changed, h);
	return OK;
}

/* Reconnects at once if the connection was lost since the last probe, for example because libvirtd was
 * restarted. */
static RESULT probe_host(struct step *s, const struct host *row, struct compute_facts *ret_facts)
{
	struct host_connection *connection = s->connection;
	if (connection->connection && connection->gen == row->row.gen) {
		struct result result = connection->driver->probe(connection->connection, &s->ctx, ret_facts);
		if (result.code != ERR_GONE)
			return result;
		ctx_clear_problem(&s->ctx);
	}
	TRY(connect_host(s, row));
	return connection->driver->probe(connection->connection, &s->ctx, ret_facts);
}

/* ---- reports ---- */

static bool is_full(const struct compute_facts *facts)
{
	return facts->disk_free < facts->disk / 100 * FULL_PERCENT;
}

/* If the row names a CPU model, the model seen must be what guests are given. */
static bool has_named(const struct host *row, const struct compute_facts *f)
{
	return row->cpu.n == 0 || str_equal(row->seen_guest_cpu, f->named_cpu);
}

/* The boot time is computed from uptime and drifts; differences below five minutes are ignored. */
static bool is_near(int64_t a_us, int64_t b_us)
{
	return a_us - b_us < 5 * MINUTE && b_us - a_us < 5 * MINUTE;
}

/* Name of the first reported value that differs from the row; NULL: no difference. */
static const char *find_news(const struct host *row, enum host_seen_state state,
			     const struct compute_facts *facts, struct str bridges)
{
	const struct compute_facts f = facts ? *facts : (struct compute_facts){0};
	const struct {
		const char *words;
		bool is_reported;
	} reports[] = {
		{"processors",
		 row->seen_cpus == f.cpus && row->seen_cores == f.cores && row->seen_sockets == f.sockets},
		{"memory", row->seen_memory == f.memory},
		{"disk", row->seen_disk == f.disk},
		{"room", row->seen_full == is_full(&f)},
		{"virtualization", row->seen_virt == f.virt},
		{"version", str_equal(row->seen_version, f.version)},
		{"boot", str_equal(row->seen_boot_id, f.boot_id)},
		{"bridges", str_equal(row->seen_physical_networks, bridges)},
		{"uptime", is_near(row->seen_booted_us, f.booted_us)},
		{"model", str_equal(row->seen_cpu, f.cpu) && has_named(row, &f) &&
				  str_equal(row->seen_machine, f.machine) &&
				  str_equal(row->seen_machines, f.machines)},
	};
	if (row->seen_state != state)
		return "state";
	for (size_t k = 0; facts && k < sizeof reports / sizeof reports[0]; k++)
		if (!reports[k].is_reported)
			return reports[k].words;
	return NULL;
}

/* Bridges of the host's chassis. Keeps the row's value if the southbound database does not answer. */
static struct str find_bridges(struct step *s, const struct host *row)
{
	const struct network_handle *network = &s->r->network;
	struct str words = STR_NONE;
	if (result_is_ok(network->driver->see_bridges(network->self, &s->ctx, row->name, &words)))
		return words;
	ctx_clear_problem(&s->ctx);
	return row->seen_physical_networks;
}

static RESULT report_host(struct step *s, const struct host *row, enum host_seen_state state,
			  const struct compute_facts *facts)
{
	struct str bridges = find_bridges(s, row);
	const char *news = find_news(row, state, facts, bridges);
	if (!news)
		return OK;
	log_event(state == HOST_SEEN_STATE_UP ? LOG_INFO : LOG_WARN, "host-seen",
		  "host=%s state=%s news=%s message=%s", log_quote(row->name),
		  state == HOST_SEEN_STATE_UP ? "up" : "down", news,
		  log_quote(facts ? facts->virt_reason : s->ctx.problem.message));
	struct host_report *report = STEP_NEW(s, struct host_report);
	*report = (struct host_report){.host = row->row.id, .state = state};
	if (facts) {
		report->has_facts = true;
		report->cpus = facts->cpus;
		report->cores = facts->cores;
		report->sockets = facts->sockets;
		report->memory = facts->memory;
		report->disk = facts->disk;
		report->is_full = is_full(facts);
		report->virt = facts->virt;
		report->version = facts->version;
		report->boot_id = facts->boot_id;
		report->physical_networks = bridges;
		report->booted_us = facts->booted_us;
		report->cpu = facts->cpu;
		report->named_cpu = facts->named_cpu;
		report->machine = facts->machine;
		report->machines = facts->machines;
	}
	step_report(s, engine_see_host_run, report);
	return OK;
}

static RESULT report_down(struct step *s, const struct host *row, bool is_down)
{
	struct condition condition = {
		.subject_kind = KIND_HOST,
		.subject = row->row.id,
		.name = STR("HostDown"),
		.message = s->ctx.problem.message,
		.advice = STR("See that libvirtd runs on the host and that its address is right; its guests "
			      "go on meanwhile."),
	};
	return step_report_condition(s, &condition, is_down);
}

static RESULT report_full(struct step *s, const struct host *row, const struct compute_facts *facts)
{
	struct condition condition = {
		.subject_kind = KIND_HOST,
		.subject = row->row.id,
		.name = STR("PoolFull"),
		.message = str_print(s->ctx.arena, "Its pool %" STR_FMT " has less than %d percent left.",
				     STR_ARG(row->pool_path), FULL_PERCENT),
		.advice = STR(
			"Make room there, or give it more: no disk is placed on it meanwhile, and a guest "
			"that finds no room for a write is held until there is some."),
	};
	return step_report_condition(s, &condition, is_full(facts));
}

static RESULT report_model(struct step *s, const struct host *row, const struct compute_facts *facts)
{
	bool is_unknown = processor_is_named(row->cpu) && facts->cpu.n && !facts->named_cpu.n;
	struct condition condition = {
		.subject_kind = KIND_HOST,
		.subject = row->row.id,
		.name = STR("ProcessorUnknown"),
		.message =
			str_print(s->ctx.arena, "It knows no processor '%" STR_FMT "'.", STR_ARG(row->cpu)),
		.advice = STR("Its guests get all that its own processor can do, and can go nowhere but to "
			      "its like: "
			      "dari host set --cpu."),
	};
	return step_report_condition(s, &condition, is_unknown);
}

/* ---- strays ---- */

/* Lists domains with our mark that have no row here. The domains were listed before the rows are read,
 * because a row is created before its domain and removed after it: the other order would report new domains
 * as strays. */
static size_t name_strays(struct step *s, const struct compute_inventory *inventory, struct str *ret_names)
{
	size_t count = 0;
	struct str names = STR_NONE;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (size_t k = 0; k < inventory->count; k++) {
		const struct instance *row = instance_find(view.tables, inventory->at[k].id);
		if (!row || (!uuid_equal(row->host, s->id) && !uuid_equal(row->target, s->id)))
			count = step_name_stray(s, count, "domain", inventory->at[k].id, &names);
	}
	*ret_names = names;
	return count;
}

/* Lists domains on a new connection, at each resync, and while strays remain. */
static RESULT look_for_strays(struct step *s)
{
	struct rec_host *h = s->host;
	struct host_connection *connection = s->connection;
	uint64_t round = atomic_load(&s->r->round);
	if (connection->round != round || atomic_load(&h->disks.has_strays))
		work_wake(s->r, h->disks.lane, KIND_HOST_DISKS, s->id, WAKE_WISH);
	if (atomic_exchange(&h->disks.has_unproven, false))
		wake_pools_on(h);
	if (!connection->has_strays && connection->round == round)
		return OK;
	struct compute_inventory inventory = {0};
	struct str names = STR_NONE;
	TRY(connection->driver->list(connection->connection, &s->ctx, &inventory));
	size_t count = name_strays(s, &inventory, &names);
	TRY(step_report_strays(s, "Quarantined", count, names));
	connection->has_strays = count > 0;
	connection->round = round;
	return OK;
}

/* ---- return of a fenced host ---- */

struct return_rows {
	const struct fence *fence;  /* NULL: the host was not fenced */
	const struct uuids *left;   /* instances released to other hosts that may still be defined here */
	const struct uuids *broken; /* instances still placed here whose disks in Ceph were blocked */
};

/* Collects instances with disks in Ceph: their QEMU does not recover from a blocked client and must be
 * restarted. */
static RESULT gather_broken(struct step *s, const struct tables *t, struct return_rows *rows)
{
	VEC(uuid) broken = {0};
	struct uuids *list = STEP_NEW(s, struct uuids);
	for (const struct instance *i = instance_first_by_host(t, s->id); i && rows->fence->blocked.count;
	     i = instance_next_by_host(t, i))
		if (engine_has_disks_in_ceph(t, i->row.id) && !VEC_PUSH(s->ctx.arena, &broken, i->row.id))
			return ctx_no_memory(&s->ctx);
	*list = (struct uuids){broken.at, broken.count};
	rows->broken = list;
	return OK;
}

static RESULT gather_return(struct step *s, struct return_rows *ret_rows)
{
	VEC(uuid) left = {0};
	struct uuids *list = STEP_NEW(s, struct uuids);
	*ret_rows = (struct return_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct fence *f = engine_find_fence(view.tables, s->id);
	if (!f || (f->stage != FENCE_STAGE_CONFIRMED && !f->blocked.count))
		return OK;
	ret_rows->fence = STEP_COPY(s, KIND_FENCE, struct fence, f);
	TRY(gather_broken(s, view.tables, ret_rows));
	for (size_t k = 0; k < f->left.count; k++) {
		const struct instance *i = instance_find(view.tables, f->left.at[k]);
		bool is_back = i && row_is_live(&i->row) &&
			       (uuid_equal(i->host, s->id) || uuid_equal(i->target, s->id));
		if (!is_back && !VEC_PUSH(s->ctx.arena, &left, f->left.at[k]))
			return ctx_no_memory(&s->ctx);
	}
	*list = (struct uuids){left.at, left.count};
	ret_rows->left = list;
	return OK;
}

/* Forces off, and for released instances undefines, every listed domain before anything else happens on the
 * host: a released instance may be running elsewhere by now. */
static RESULT clear_left(struct step *s, const struct return_rows *rows)
{
	const struct compute_driver *driver = s->connection->driver;
	struct compute_inventory inventory = {0};
	TRY(driver->list(s->connection->connection, &s->ctx, &inventory));
	for (size_t k = 0; k < inventory.count; k++) {
		uuid id = inventory.at[k].id;
		bool has_left = uuids_have(rows->left, id);
		if (!has_left && !uuids_have(rows->broken, id))
			continue;
		char text[UUID_TEXT_SIZE];
		log_event(LOG_INFO, "stale-domain", "instance=%s on=%d", uuid_write(id, text),
			  inventory.at[k].power == INSTANCE_SEEN_POWER_ON);
		TRY(driver->set_power(s->connection->connection, &s->ctx, id, COMPUTE_FORCE_OFF));
		if (has_left)
			TRY(driver->undefine(s->connection->connection, &s->ctx, id));
	}
	return OK;
}

/* Two steps for a fenced host that has come back: first the row records the return, so that no more instances
 * are released; then released domains are removed. *ret_is_clear: the host may be used. */
static RESULT step_return(struct step *s, const struct host *row, const struct compute_facts *facts,
			  bool *ret_is_clear)
{
	struct return_rows rows = {0};
	TRY(gather_return(s, &rows));
	*ret_is_clear = rows.fence == NULL;
	if (*ret_is_clear || rows.fence->cleared_us) /* Ceph has lifted the block */
		return OK;
	struct fence_return *report = STEP_NEW(s, struct fence_return);
	*report = (struct fence_return){.fence = rows.fence->row.id,
					.is_cleared = rows.fence->returned_us != 0};
	if (report->is_cleared)
		TRY(clear_left(s, &rows));
	else
		TRY(report_host(s, row, HOST_SEEN_STATE_UP, facts));
	step_report(s, engine_see_fence_return_run, report);
	step_again(s);
	return OK;
}

/* ---- the step ---- */

/* The host answered: reports its facts and, on a new connection, wakes everything on it. */
static RESULT welcome_host(struct step *s, const struct host *row, const struct compute_facts *facts)
{
	struct rec_host *h = s->host;
	struct host_connection *connection = s->connection;
	(void) snprintf(connection->boot_id, sizeof connection->boot_id, "%" STR_FMT,
			STR_ARG(facts->boot_id));
	TRY(report_host(s, row, HOST_SEEN_STATE_UP, facts));
	TRY(report_down(s, row, false));
	if (row->seen_full || is_full(facts))
		TRY(report_full(s, row, facts));
	TRY(report_model(s, row, facts));
	if (connection->is_fresh) {
		atomic_store(&h->is_ready, true); /* set before the rows are read: see wake_on_host() */
		wake_all_on(h);
		connection->is_fresh = false;
	}
	TRY(host_connection_look_at_left(s));
	return look_for_strays(s);
}

/* Ends maintenance at its time, whether or not the host answers. */
static RESULT end_maintenance(struct step *s, const struct host *row)
{
	if (row->maintenance_end_us == 0 || clock_now_us() < row->maintenance_end_us)
		return OK;
	struct maintenance_report *report = STEP_NEW(s, struct maintenance_report);
	report->host = row->row.id;
	step_report(s, engine_see_maintenance_end_run, report);
	return OK;
}

/* *ret_row NULL: the row does not exist. */
static RESULT copy_row(struct step *s, const struct host **ret_row)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct host *found = host_find(view.tables, s->id);
	*ret_row = found ? STEP_COPY(s, KIND_HOST, struct host, found) : NULL;
	return OK;
}

static RESULT report_host_down(struct step *s, const struct host *row)
{
	work_wake(s->r, lane_network(s->r), KIND_HOST_CHASSIS, s->id, WAKE_WISH);
	TRY(report_host(s, row, HOST_SEEN_STATE_DOWN, NULL));
	return report_down(s, row, true);
}

/* Reports a host whose own step hangs. Runs on the home lane, since the host's lane is blocked. */
static RESULT step_host_silence(struct step *s)
{
	const struct host *row = NULL;
	TRY(copy_row(s, &row));
	if (!row)
		return OK;
	TRY(end_maintenance(s, row));
	IGNORE(ctx_fail(&s->ctx, ERR_GONE, "libvirt at %" STR_FMT " takes calls and does not answer them",
			STR_ARG(row->uri)));
	return report_host_down(s, row);
}

static RESULT step_host(struct step *s)
{
	const struct host *row = NULL;
	TRY(copy_row(s, &row));
	if (!row) { /* host removed; nothing of ours is left on it */
		host_connection_disconnect(s->connection);
		return OK;
	}
	TRY(end_maintenance(s, row));
	struct compute_facts facts = {0};
	struct result result = probe_host(s, row, &facts);
	if (result_is_ok(result)) {
		bool is_clear = false;
		TRY(step_return(s, row, &facts, &is_clear));
		return is_clear ? welcome_host(s, row, &facts) : OK;
	}
	TRY(report_host_down(s, row));
	return result;
}

/* ---- wake-ups ---- */

static void wake_host(struct reconciler *r, const struct row *row)
{
	struct rec_host *h = hosts_ensure(r, host_of(row));
	if (h)
		work_wake(r, h->lane, KIND_HOST, row->id, WAKE_WISH);
}

static bool takes_instances(const struct host *h)
{
	return h && placement_check_host(h, &(struct placement_need){0}) == PLACEMENT_FITS;
}

/* Observations of the host's own step leave gen as it was and do not wake the host. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	const struct host *was = host_of(before), *is = host_of(after);
	if (!was || was->row.gen != is->row.gen)
		wake_host(r, after);
	if (!was || was->seen_state != is->seen_state)
		reconciler_wake_routers_soon(r); /* the routers' external gateways are scheduled on hosts */
	if (!takes_instances(was) && takes_instances(is))
		reconciler_wake_unplaced_soon(r);
}

const struct resource reconcile_host = {
	.step = step_host,
	.is_swept = true,
	.wake = wake_host,
	.wake_changed = wake_changed,
	.wakes_forgotten = true, /* closes the connection */
};
const struct resource reconcile_host_silence = {.step = step_host_silence};
