/* SPDX-License-Identifier: Apache-2.0
 * Steps of fences. A requested fence turns the host off by its fence command, or has Ceph block it
 * (fence_block.c), on a lane that nothing else delays. A confirmed fence releases the host's instances. A
 * blocked host that has come back and is cleared is unblocked. Also decides whether a silent host should be
 * fenced: its own step sees libvirt's silence, step_chassis() sees that of its OVN chassis. The rules are in
 * engine/region/fence.c; host.c clears a host that has come back. */
#include "engine/region/fence.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "drivers/fence.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "reconcile/work.h"
#include "store/condition.h"
#include "store/fence.h"
#include "store/host.h"
#include "store/instance.h"

/* TRY_AGAIN_S: a management controller may be busy or restarting for some seconds. LEAVING_AT_ONCE: hosts looked at in
 * one tick, so that a tick costs the same in a large region. */
enum { TRY_AGAIN_S = 15, COMMAND_S = 120, LEAVING_AT_ONCE = 32 };
static const int64_t RENEW_BLOCK_US = HOUR;
/* time for which a chassis must lag: ovn-controller may need seconds for many flows */
#define STALE_US (15 * SECOND)

/* ---- turning off */

static const struct fence_driver *find_driver(const struct reconciler *r, struct str uri)
{
	for (size_t k = 0; k < RECONCILE_DRIVERS_MAX && r->fences[k]; k++)
		if (str_starts_with(uri, str_from(r->fences[k]->scheme)))
			return r->fences[k];
	return NULL;
}

static RESULT turn_off(struct step *s, const struct host *host)
{
	struct fence_device device = {.host = host->name,
				      .command = host->fence_command,
				      .options = host->fence_options,
				      .timeout_us = COMMAND_S * SECOND};
	const struct fence_driver *driver = find_driver(s->r, host->uri);
	if (!driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "nothing here turns hosts off");
	if (host->fence_secret.n)
		TRY(crypto_open(&s->ctx, s->r->master_key,
				(struct str){(const char *) host->row.id.b, sizeof host->row.id.b},
				host->fence_secret, &device.secret));
	struct result result = driver->turn_off(&s->ctx, &device);
	crypto_wipe((void *) device.secret.p, device.secret.n); /* the copy in our arena */
	return result;
}

static RESULT step_asked(struct step *s, const struct fence *f, const struct host *host)
{
	if (!f->blocked.count && !host->fence_command.n)
		return OK; /* waits for an operator's confirmation or the host's return */
	struct result result = f->blocked.count ? fence_block_host(s, f, host) : turn_off(s, host);
	if (result.code == ERR_NO_MEMORY)
		return result;
	struct fence_report *report = STEP_NEW(s, struct fence_report);
	*report = (struct fence_report){
		.fence = s->id, .is_off = result_is_ok(result), .problem = s->ctx.problem.message};
	log_event(report->is_off ? LOG_INFO : LOG_WARN, "fence", "host=%s off=%d message=%s",
		  log_quote(host->name), report->is_off, log_quote(report->problem));
	ctx_clear_problem(&s->ctx);
	if (!report->is_off)
		step_again_at(s, clock_now_us() + TRY_AGAIN_S * SECOND);
	step_report(s, engine_see_fence_run, report);
	return OK;
}

/* ---- releasing instances */

struct leaving {
	VEC(uuid) fresh, waiting; /* fresh: not handled yet; waiting: have a WaitsForHost condition */
};

static RESULT gather_leaving(struct step *s, uuid host, struct leaving *leaving)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (const struct instance *i = instance_first_by_host(view.tables, host); i;
	     i = instance_next_by_host(view.tables, i)) {
		bool waits = condition_find_by_subject(view.tables, i->row.id, STR(WAITS_FOR_HOST)) != NULL;
		bool has_ended = !row_is_live(&i->row) && i->seen_power == INSTANCE_SEEN_POWER_ABSENT &&
				 i->seen_gen == (int64_t) i->row.gen;
		bool kept = has_ended || !uuid_is_none(i->target) ||
			    (waits ? VEC_PUSH(s->ctx.arena, &leaving->waiting, i->row.id)
				   : VEC_PUSH(s->ctx.arena, &leaving->fresh, i->row.id));
		if (!kept)
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT report_leaving(struct step *s, uuid instance)
{
	struct fence_following *following = STEP_NEW(s, struct fence_following);
	following->instance = instance;
	step_report(s, engine_follow_fence_run, following);
	return OK;
}

/* Releases instances in batches, so that a full host does not hold up the committer with one change. Instances that were not
 * tried yet come first. Waiting ones are retried in turn, a batch at each look: another host may have room by now, or see
 * their disks. */
static RESULT step_confirmed(struct step *s, const struct fence *f)
{
	struct leaving leaving = {0};
	TRY(gather_leaving(s, f->host, &leaving));
	for (size_t k = 0; k < leaving.fresh.count && k < LEAVING_AT_ONCE; k++)
		TRY(report_leaving(s, leaving.fresh.at[k]));
	size_t count = leaving.waiting.count, many = count < LEAVING_AT_ONCE ? count : LEAVING_AT_ONCE;
	size_t turn = (size_t) (clock_now_us() / s->r->host_interval_us) * LEAVING_AT_ONCE;
	if (leaving.fresh.count) {
		step_again(s);
		return OK;
	}
	for (size_t k = 0; k < many; k++)
		TRY(report_leaving(s, leaving.waiting.at[(turn + k) % count]));
	return OK;
}

/* ---- the step */

static bool is_to_be_let_in(const struct fence *f)
{
	return f->blocked.count && (f->cleared_us || f->ended_us);
}

static RESULT step_let_in(struct step *s, const struct fence *f)
{
	TRY(fence_unblock_host(s, f));
	struct fence_report *report = STEP_NEW(s, struct fence_report);
	report->fence = s->id;
	step_report(s, engine_see_fence_unblocked_run, report);
	return OK;
}

/* Renews Ceph's block every RENEW_BLOCK_US, and at once after a restart of this process. */
static RESULT renew(struct step *s, const struct fence *f)
{
	struct rec_host *h = hosts_find(s->r, f->host);
	int64_t now_us = clock_now_us();
	if (!f->blocked.count || !h || (h->blocked_us && now_us < h->blocked_us + RENEW_BLOCK_US))
		return OK;
	TRY(fence_renew_block(s, f));
	h->blocked_us = now_us;
	return OK;
}

static RESULT step_fence(struct step *s)
{
	const struct fence *f = NULL;
	const struct host *host = NULL;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct fence *row = fence_find(view.tables, s->id);
		const struct host *of = row ? host_find(view.tables, row->host) : NULL;
		if (!of || (!row->blocked.count && (row->ended_us || row->returned_us)))
			return OK;
		f = STEP_COPY(s, KIND_FENCE, struct fence, row);
		host = STEP_COPY(s, KIND_HOST, struct host, of);
	}
	if (is_to_be_let_in(f))
		return step_let_in(s, f);
	if (f->stage != FENCE_STAGE_ASKED || f->returned_us)
		TRY(renew(s, f));
	if (f->returned_us)
		return OK;
	return f->stage == FENCE_STAGE_ASKED ? step_asked(s, f, host) : step_confirmed(s, f);
}

static void wake_fence(struct reconciler *r, const struct row *row)
{
	const struct fence *f = fence_of(row);
	bool has_lane = f->stage == FENCE_STAGE_ASKED || f->blocked.count;
	if (f->blocked.count || (!f->ended_us && !f->returned_us))
		work_wake(r, has_lane ? lane_fences(r, f->host) : lane_home(r), KIND_FENCE, row->id,
			  WAKE_WISH);
}

/* The host is turned off, or clears itself. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct fence *was = fence_of(before), *is = fence_of(after);
	const struct host *host = host_find(t, is->host);
	if (!was || was->stage != is->stage || was->cleared_us != is->cleared_us ||
	    was->ended_us != is->ended_us)
		wake_fence(r, after);
	if (host && (is->returned_us || is->ended_us))
		wake_for_row(r, KIND_HOST, &host->row);
}

const struct resource reconcile_fence = {
	.step = step_fence,
	.is_swept = true,
	.wake = wake_fence,
	.wake_changed = wake_changed,
};

/* ---- chassis of a silent host */

/* True if the chassis has lagged for STALE_US. The start is kept in memory: after a restart the time begins
 * again. */
static bool is_stale(struct rec_host *h, const struct network_chassis *chassis)
{
	int64_t now_us = clock_now_us();
	if (!chassis->is_known || chassis->followed >= chassis->asked) {
		h->behind_us = 0;
		return false;
	}
	h->behind_us = h->behind_us ? h->behind_us : now_us;
	return now_us >= h->behind_us + STALE_US;
}

/* Woken repeatedly by the host's own step while the host is silent. */
static RESULT step_chassis(struct step *s)
{
	struct str name = STR_NONE;
	bool is_due = false;
	struct network_chassis chassis = {0};
	struct rec_host *h = hosts_find(s->r, s->id);
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct host *host = host_find(view.tables, s->id);
		int64_t after_us = host ? engine_get_fence_after_us(view.tables, host) : 0;
		if (!h || !after_us || host->seen_state != HOST_SEEN_STATE_DOWN ||
		    engine_find_fence(view.tables, s->id))
			return OK;
		is_due = clock_now_us() >= host->seen_since_us + after_us;
		name = str_copy(s->ctx.arena, host->name);
	}
	TRY(s->r->network.driver->see_chassis(s->r->network.self, &s->ctx, name, true, &chassis));
	if (!is_stale(h, &chassis) || !is_due)
		return OK;
	struct fence_considering *considering = STEP_NEW(s, struct fence_considering);
	*considering = (struct fence_considering){.host = s->id, .is_chassis_stale = true};
	step_report(s, engine_consider_fence_run, considering);
	return OK;
}

const struct resource reconcile_host_chassis = {.step = step_chassis};
