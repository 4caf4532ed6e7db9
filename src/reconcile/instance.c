/* SPDX-License-Identifier: Apache-2.0
 * Instances: what is wanted → a domain on its host. Woken by its row, its volumes, its host's
 * return, and libvirt's news. What comes before: engine/instance.c. What does it: drivers/compute.h. */
#include "reconcile/instance_plan.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/instance.h"
#include "model/memo.h"
#include "reconcile/work.h"
#include "store/rows.h"

enum {
	ASK_AGAIN_S = 5,    /* some guests miss the first press of the power button */
	PLACE_AGAIN_S = 15, /* between looks for a host with room */
	RESTART_S = 10      /* between an end of its own and its restart, but for the first time */
};

/* An instance's rows, in the step's arena. */
struct instance_rows {
	const struct instance *instance; /* NULL: no such row */
	struct compute_domain domain;
	bool disks_ready;
	int64_t restart_us;
};

struct memo_rows { /* a VEC */
	struct memo_row *at;
	size_t count, capacity;
};

static RESULT gather_disks(struct step *s, const struct tables *t, struct instance_rows *rows)
{
	VEC(struct compute_disk) disks = {0};
	rows->disks_ready = true;
	for (const struct volume *v = volume_first_by_instance(t, rows->instance->row.id); v;
	     v = volume_next_by_instance(t, v)) {
		if (!row_is_live(&v->row))
			continue;
		struct compute_disk disk = {
			.volume = v->row.id, .size = v->size, .slot = (int) v->device_slot};
		if (!VEC_PUSH(s->ctx.arena, &disks, disk))
			return ctx_no_memory(&s->ctx);
		if (v->seen_size < v->size || condition_find_by_subject(t, v->row.id, STR(DISK_MISSING)))
			rows->disks_ready = false;
	}
	rows->domain.disks = disks.at;
	rows->domain.disk_count = disks.count;
	return OK;
}

static RESULT gather_nics(struct step *s, const struct tables *t, struct instance_rows *rows)
{
	VEC(struct compute_nic) nics = {0};
	for (const struct port *p = port_first_by_instance(t, rows->instance->row.id); p;
	     p = port_next_by_instance(t, p)) {
		const struct network *network = network_find(t, p->network);
		if (!row_is_live(&p->row))
			continue;
		struct compute_nic nic = {.port = p->row.id,
					  .mac = p->mac,
					  .mtu = network ? (int) network->mtu : 0,
					  .slot = (int) p->device_index};
		if (!VEC_PUSH(s->ctx.arena, &nics, nic))
			return ctx_no_memory(&s->ctx);
	}
	rows->domain.nics = nics.at;
	rows->domain.nic_count = nics.count;
	return OK;
}

/* After its first end of its own it is started at once. From the second on, and until the user's
 * next wish clears the condition, it has to wait: a guest that crashes at every start. */
static int64_t gather_restart(const struct tables *t, const struct instance *i)
{
	const struct condition *restarted = condition_find_by_subject(t, i->row.id, STR(INSTANCE_RESTARTED));
	bool went_off = i->seen_power == INSTANCE_SEEN_POWER_OFF && i->seen_gen == (int64_t) i->row.gen;
	if (!restarted || !went_off || restarted->row.created_us == i->seen_us)
		return 0;
	return i->seen_us + RESTART_S * SECOND;
}

static RESULT gather_instance(struct step *s, struct instance_rows *ret_rows)
{
	*ret_rows = (struct instance_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct instance *row = instance_find(view.tables, s->id);
	if (!row)
		return OK;
	const struct instance *i = STEP_COPY(s, KIND_INSTANCE, struct instance, row);
	ret_rows->instance = i;
	ret_rows->domain = (struct compute_domain){
		.id = i->row.id,
		.name = id_to_ec2(s->ctx.arena, KIND_INSTANCE, i->row.id),
		.vcpus = i->vcpus,
		.memory = i->memory,
		.personality = i->personality,
	};
	ret_rows->restart_us = gather_restart(view.tables, row);
	TRY(gather_disks(s, view.tables, ret_rows));
	return gather_nics(s, view.tables, ret_rows);
}

static RESULT add_to_memo(struct step *s, struct memo_rows *rows, enum kind kind, const struct row *row)
{
	struct memo_row r = {kind, row};
	return !row_is_live(row) || VEC_PUSH(s->ctx.arena, rows, r) ? OK : ctx_no_memory(&s->ctx);
}

/* The instance, its volumes, its ports and their addresses, as their rows are now. */
static RESULT gather_memo(struct step *s, const struct tables *t, struct memo_rows *rows)
{
	const struct instance *row = instance_find(t, s->id);
	if (!row)
		return OK;
	TRY(add_to_memo(s, rows, KIND_INSTANCE, &row->row));
	for (const struct volume *v = volume_first_by_instance(t, s->id); v;
	     v = volume_next_by_instance(t, v))
		TRY(add_to_memo(s, rows, KIND_VOLUME, &v->row));
	for (const struct port *p = port_first_by_instance(t, s->id); p; p = port_next_by_instance(t, p)) {
		TRY(add_to_memo(s, rows, KIND_PORT, &p->row));
		for (const struct address *a = address_first_by_port(t, p->row.id); a;
		     a = address_next_by_port(t, a))
			TRY(add_to_memo(s, rows, KIND_ADDRESS, &a->row));
	}
	return OK;
}

/* What `dari adopt` needs should the rows ever be lost. One that does not fit is done without. */
static RESULT write_memo(struct step *s, struct str *ret_text)
{
	struct memo_rows rows = {0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	TRY(gather_memo(s, view.tables, &rows));
	view_stop_walking(&view);
	struct result result = memo_write(&s->ctx, &(struct memo){rows.at, rows.count}, ret_text);
	if (result.code != ERR_TOO_LARGE && result.code != ERR_INVALID)
		return result;
	log_event(LOG_WARN, "no-memo", "instance=%s message=%s",
		  log_quote(id_to_ec2(s->ctx.arena, KIND_INSTANCE, s->id)),
		  log_quote(s->ctx.problem.message));
	ctx_clear_problem(&s->ctx);
	return OK;
}

static RESULT define(struct step *s, const struct instance_rows *rows)
{
	struct compute_domain domain = rows->domain;
	TRY(write_memo(s, &domain.memo));
	return s->host->driver->define(s->host->connection, &s->ctx, &domain);
}

static enum instance_off off_reason(enum compute_off off)
{
	static const enum instance_off reasons[] = {
		[COMPUTE_OFF_UNKNOWN] = INSTANCE_OFF_UNKNOWN,
		[COMPUTE_OFF_GUEST] = INSTANCE_OFF_GUEST,
		[COMPUTE_OFF_CRASHED] = INSTANCE_OFF_CRASHED,
		[COMPUTE_OFF_DESTROYED] = INSTANCE_OFF_DESTROYED,
	};
	return reasons[off];
}

/* reached: what is there is what the row's gen asks for. */
static RESULT report_sight(struct step *s, const struct instance_rows *rows, const struct compute_seen *seen,
			   bool reached)
{
	const struct instance *row = rows->instance;
	struct instance_sight *sight = STEP_NEW(s, struct instance_sight);
	uuid *ports = arena_new_array(s->ctx.arena, uuid, rows->domain.nic_count + 1);
	uuid *volumes = arena_new_array(s->ctx.arena, uuid, rows->domain.disk_count + 1);
	if (!ports || !volumes)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < rows->domain.nic_count; k++)
		ports[k] = rows->domain.nics[k].port;
	for (size_t k = 0; k < rows->domain.disk_count; k++)
		volumes[k] = rows->domain.disks[k].volume;
	*sight = (struct instance_sight){
		.instance = row->row.id,
		.gen = row->row.gen,
		.reached = reached,
		.boots = row->wanted_boots,
		.power = seen->power,
		.off = off_reason(seen->off),
		.boot_id = str_copy(s->ctx.arena, str_from(s->host->boot_id)),
		.devices_known = seen->defined_as_wished,
		.ports = {ports, rows->domain.nic_count},
		.volumes = {volumes, rows->domain.disk_count},
	};
	step_report(s, engine_see_instance_run, sight);
	return OK;
}

static const char *const power_words[] = {
	[COMPUTE_START] = "start",
	[COMPUTE_SHUTDOWN] = "shutdown",
	[COMPUTE_FORCE_OFF] = "force-off",
	[COMPUTE_RESET] = "reset",
};

/* Just defined as wished, or running as it was. */
static RESULT power_then_report(struct step *s, const struct instance_rows *rows, enum compute_power power,
				bool defined_as_wished)
{
	const struct instance *row = rows->instance;
	TRY(s->host->driver->set_power(s->host->connection, &s->ctx, row->row.id, power));
	log_event(LOG_INFO, "instance-power", "instance=%s action=%s",
		  log_quote(id_to_ec2(s->ctx.arena, KIND_INSTANCE, row->row.id)), power_words[power]);
	const struct compute_seen seen = {.power = INSTANCE_SEEN_POWER_ON,
					  .defined_as_wished = defined_as_wished};
	return report_sight(s, rows, &seen, true);
}

static RESULT apply_shutdown(struct step *s, const struct instance *row)
{
	int64_t now_us = clock_now_us(), force_us = row->off_since_us + s->r->shutdown_grace_us;
	TRY(s->host->driver->set_power(s->host->connection, &s->ctx, row->row.id, COMPUTE_SHUTDOWN));
	int64_t ask_us = now_us + ASK_AGAIN_S * SECOND;
	step_again_at(s, ask_us < force_us ? ask_us : force_us);
	return OK;
}

static RESULT apply_step(struct step *s, const struct instance_rows *rows, enum instance_step step,
			 const struct compute_seen *seen)
{
	const struct instance *row = rows->instance;
	const struct compute_driver *driver = s->host->driver;
	switch (step) {
	case INSTANCE_SETTLED:
	case INSTANCE_WAIT_DISKS:
		return OK;
	case INSTANCE_REST:
		step_again_at(s, rows->restart_us);
		return OK;
	case INSTANCE_DEFINE:
		step_again(s);
		return define(s, rows);
	case INSTANCE_START:
		TRY(define(s, rows)); /* the memo as it is now; else there is nothing to do */
		return power_then_report(s, rows, COMPUTE_START, true);
	case INSTANCE_RESET:
		return power_then_report(s, rows, COMPUTE_RESET, seen->defined_as_wished);
	case INSTANCE_SHUTDOWN:
		return apply_shutdown(s, row);
	case INSTANCE_FORCE_OFF:
		step_again(s);
		return driver->set_power(s->host->connection, &s->ctx, row->row.id, COMPUTE_FORCE_OFF);
	case INSTANCE_UNDEFINE:
		step_again(s);
		return driver->undefine(s->host->connection, &s->ctx, row->row.id);
	case INSTANCE_REPORT:
		return report_sight(s, rows, seen, !instance_went_off(row, seen));
	}
	return FAIL(INTERNAL);
}

/* Ended instances stay visible for a while; then the look at everything finds them. */
static RESULT forget_when_due(struct step *s, const struct instance *row)
{
	if (clock_now_us() < row->stopped_us + INSTANCE_VISIBLE_US)
		return OK;
	struct instance_forget *forget = STEP_NEW(s, struct instance_forget);
	forget->instance = row->row.id;
	step_report(s, engine_forget_instance_run, forget);
	return OK;
}

/* Accepted without a host: as soon as one has room. */
static RESULT place(struct step *s, const struct instance *row)
{
	struct instance_placing *placing = STEP_NEW(s, struct instance_placing);
	placing->instance = row->row.id;
	step_report(s, engine_place_instance_run, placing);
	step_again_at(s, clock_now_us() + PLACE_AGAIN_S * SECOND);
	return OK;
}

RESULT reconcile_step_instance(struct step *s)
{
	struct instance_rows rows = {0};
	TRY(gather_instance(s, &rows));
	if (!rows.instance)
		return OK;
	if (instance_has_ended(rows.instance))
		return forget_when_due(s, rows.instance);
	if (uuid_is_none(rows.instance->host))
		return place(s, rows.instance);
	if (!hosts_is_here(s, rows.instance->host)) {
		wake_for_row(s->r, KIND_INSTANCE, &rows.instance->row);
		return OK;
	}
	TRY(hosts_connected(s));
	struct instance_outlook outlook = {
		.disks_ready = rows.disks_ready,
		.now_us = clock_now_us(),
		.grace_us = s->r->shutdown_grace_us,
		.restart_us = rows.restart_us,
	};
	TRY(s->host->driver->see(s->host->connection, &s->ctx, &rows.domain, &outlook.seen));
	return apply_step(s, &rows, instance_plan_step(rows.instance, &outlook), &outlook.seen);
}
