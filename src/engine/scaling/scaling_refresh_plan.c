/* SPDX-License-Identifier: Apache-2.0
 * Decides how an instance refresh goes on: which instance is replaced next, how many are launched ahead, when it pauses and
 * ends. Pure: the plan follows from the rows alone, so a process that dies between two steps goes on where it was. Read by:
 * scaling_follow.c, scaling_refresh.c. Source: Amazon EC2 Auto Scaling User Guide, "Use an instance refresh". */
#include "base/clock.h"
#include "engine/scaling/scaling_internal.h"
#include "model/id.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/launch_configuration.h"
#include "store/launch_template.h"

/* A refresh that cannot go on fails after an hour, and any refresh after 14 days, as in EC2. */
enum { PATIENCE_S = 3600, LONGEST_S = 14 * 86400 };

/* ---- skip matching ---- */

static int64_t number_of(struct str text)
{
	int64_t value = 0;
	return result_is_ok(str_parse_int(text, &value)) ? value : 0;
}

static bool is_of_template(const struct tables *t, const struct instance *i, uuid template_id,
			   struct str version)
{
	const struct launch_template *template = launch_template_find(t, template_id);
	const struct tag *id = tags_find(i->tags, STR("aws:ec2launchtemplate:id"));
	const struct tag *number = tags_find(i->tags, STR("aws:ec2launchtemplate:version"));
	struct ref ref;
	if (!template || !id || !number || !result_is_ok(id_parse_ec2(id->value, KIND_LAUNCH_TEMPLATE, &ref)))
		return false;
	int64_t wanted = str_is(version, "$Latest")                  ? template->latest_version
			 : !version.n || str_is(version, "$Default") ? template->default_version
								     : number_of(version);
	return id_has_prefix(template_id, ref.prefix, ref.bits) && number_of(number->value) == wanted;
}

static bool is_of_override(const struct tables *t, const struct scaling_group *group,
			   const struct instance *i, const struct str *o)
{
	const struct instance_type *type = instance_type_find(t, i->type);
	struct ref ref;
	if (o[OVERRIDE_TYPE].n && (!type || !str_equal(type->name, o[OVERRIDE_TYPE])))
		return false;
	if (!o[OVERRIDE_TEMPLATE].n)
		return is_of_template(t, i, group->template, group->template_version);
	if (!result_is_ok(id_parse_ec2(o[OVERRIDE_TEMPLATE], KIND_LAUNCH_TEMPLATE, &ref)))
		return false;
	const struct row *own = tables_find_prefix(t, KIND_LAUNCH_TEMPLATE, ref.prefix, ref.bits);
	return own && is_of_template(t, i, own->id, o[OVERRIDE_VERSION]);
}

/* True if the instance was launched as the group launches now. */
static bool matches(const struct tables *t, const struct scaling_group *group, const struct scaling_member *m)
{
	struct scaling_group now = *group;
	(void) engine_use_scaling_refresh(t, &now);
	const struct instance *i = instance_find(t, m->instance);
	const struct launch_configuration *c = launch_configuration_find(t, now.launch_configuration);
	if (c || !i)
		return c && str_equal(c->name, m->launch_configuration);
	if (!now.overrides.count)
		return is_of_template(t, i, now.template, now.template_version);
	for (size_t k = 0; k + OVERRIDE_TEXTS <= now.overrides.count; k += OVERRIDE_TEXTS)
		if (is_of_override(t, &now, i, &now.overrides.at[k]))
			return true;
	return false;
}

bool scaling_is_stale(const struct tables *t, const struct scaling_group *group,
		      const struct scaling_refresh *refresh, const struct scaling_member *m)
{
	bool is_launched = uuid_equal(m->refresh, refresh->row.id);
	if (refresh->rollback_us)
		return is_launched;
	return !is_launched && !(refresh->skips_matching && matches(t, group, m));
}

/* ---- counts ---- */

struct tally {
	int64_t stale;                   /* instances left to replace, with those that it waits for */
	int64_t ready;                   /* units of those that may go now */
	int64_t warming, healthy;        /* new instances that are not ready; units in service */
	int64_t missing;                 /* units below the desired capacity */
	int64_t moving;                  /* instances that are being launched or terminated */
	const struct scaling_member *go; /* goes first */
	uuid warm, protected, standby;   /* an example of each */
	int64_t warm_us;                 /* end of the first warm-up; INT64_MAX: none is under way */
};

static int64_t warmup_of(const struct scaling_group *group, const struct scaling_refresh *r)
{
	return (r->warmup_s >= 0    ? r->warmup_s
		: group->has_warmup ? group->warmup_s
				    : group->grace_s) *
	       SECOND;
}

static bool is_serving(const struct scaling_member *m)
{
	return m->stage == SCALING_MEMBER_STAGE_IN_SERVICE && !m->is_unhealthy;
}

static bool is_new(const struct scaling_refresh *r, const struct scaling_member *m)
{
	bool is_launched = uuid_equal(m->refresh, r->row.id);
	return r->rollback_us ? !is_launched && m->row.created_us >= r->rollback_us : is_launched;
}

/* Instances that serve nobody go first, then the oldest. */
static void offer(struct tally *n, const struct scaling_member *m)
{
	bool is_better = !n->go || is_serving(m) < is_serving(n->go) ||
			 (is_serving(m) == is_serving(n->go) && m->row.created_us < n->go->row.created_us);
	if (is_better)
		n->go = m;
}

static void count_stale(struct tally *n, const struct scaling_refresh *r, const struct scaling_member *m)
{
	bool stands_by = m->stage == SCALING_MEMBER_STAGE_STANDBY;
	if ((stands_by && r->standby == SCALING_REFRESH_STANDBY_IGNORE) ||
	    (m->is_protected && r->protected == SCALING_REFRESH_PROTECTED_IGNORE))
		return;
	n->stale++;
	if (stands_by && r->standby == SCALING_REFRESH_STANDBY_WAIT) {
		n->standby = m->instance;
		return;
	}
	if (m->is_protected && r->protected == SCALING_REFRESH_PROTECTED_WAIT) {
		n->protected = m->instance;
		return;
	}
	n->ready += stands_by ? 0 : m->units;
	offer(n, m);
}

static void count_serving(struct tally *n, const struct scaling_member *m, bool is_new, int64_t warmup_us,
			  int64_t now_us)
{
	int64_t warm_us = m->since_us + warmup_us;
	if (!is_new || (is_serving(m) && now_us >= warm_us)) {
		n->healthy += is_serving(m) ? m->units : 0;
		return;
	}
	n->warming++;
	n->warm = m->instance;
	if (is_serving(m) && warm_us < n->warm_us)
		n->warm_us = warm_us;
}

static struct tally count(const struct tables *t, const struct scaling_group *group,
			  const struct scaling_refresh *r, int64_t now_us)
{
	struct tally n = {.warm_us = INT64_MAX};
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		bool counts = scaling_member_counts(m), stands_by = m->stage == SCALING_MEMBER_STAGE_STANDBY;
		if (scaling_is_warm(m)) /* the pool's turns replace its instances */
			continue;
		n.moving += !stands_by && m->stage != SCALING_MEMBER_STAGE_IN_SERVICE;
		if (!counts && !stands_by)
			continue;
		if (counts)
			count_serving(&n, m, is_new(r, m), warmup_of(group, r), now_us);
		if (scaling_is_stale(t, group, r, m))
			count_stale(&n, r, m);
	}
	int64_t missing = group->desired - engine_count_scaling_units(t, group->row.id);
	n.missing = missing > 0 ? missing : 0;
	return n;
}

/* ---- progress ---- */

static int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The percentage only rises, and only falls in a rollback, although instances are added to the group meanwhile. */
static void note_progress(struct scaling_refresh *next, const struct tally *n, int64_t now_us)
{
	int64_t left = n->stale + n->warming + n->missing, percent;
	if (next->rollback_us) {
		percent = next->rollback_total ? next->rollback_percent * left / next->rollback_total : 0;
		percent = min_of(percent, next->percent);
	} else {
		int64_t done = next->total > left ? next->total - left : 0;
		percent = left ? min_of(99, next->total ? done * 100 / next->total : 0) : 100;
		percent = percent > next->percent ? percent : next->percent;
		next->remaining = n->stale;
	}
	if (percent != next->percent || n->stale != next->left)
		next->progress_us = now_us;
	next->percent = percent;
	next->left = n->stale;
}

static void end(struct scaling_refresh *next, enum scaling_refresh_status status,
		enum scaling_refresh_why why, int64_t now_us)
{
	next->status = status;
	next->why = why;
	next->example = UUID_NONE;
	next->pause_us = 0;
	next->ended_us = now_us;
}

void scaling_begin_rollback(const struct tables *t, struct scaling_refresh *next,
			    enum scaling_refresh_rollback_why why, int64_t now_us)
{
	next->status = SCALING_REFRESH_STATUS_ROLLBACK_IN_PROGRESS;
	next->why = SCALING_REFRESH_WHY_NOTHING;
	next->example = UUID_NONE;
	next->rollback_why = why;
	next->rollback_us = next->progress_us = now_us;
	next->rollback_percent = next->percent;
	next->rollback_total = 0;
	next->pause_us = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, next->scaling_group);
	     m; m = scaling_member_next_by_scaling_group(t, m))
		next->rollback_total +=
			uuid_equal(m->refresh, next->row.id) &&
			(scaling_member_counts(m) || m->stage == SCALING_MEMBER_STAGE_STANDBY);
}

static void fail(const struct tables *t, struct scaling_refresh *next, bool is_too_long, int64_t now_us)
{
	enum scaling_refresh_why why =
		is_too_long ? SCALING_REFRESH_WHY_TOO_LONG : SCALING_REFRESH_WHY_NO_PROGRESS;
	if (next->rollback_us)
		end(next, SCALING_REFRESH_STATUS_ROLLBACK_FAILED, why, now_us);
	else if (!next->rolls_back)
		end(next, SCALING_REFRESH_STATUS_FAILED, why, now_us);
	else
		scaling_begin_rollback(t, next,
				       is_too_long ? SCALING_REFRESH_ROLLBACK_WHY_TOO_LONG
						   : SCALING_REFRESH_ROLLBACK_WHY_NO_PROGRESS,
				       now_us);
}

/* ---- checkpoints ---- */

static int64_t checkpoint_of(const struct scaling_refresh *r, size_t k)
{
	return k < r->checkpoints.count ? number_of(r->checkpoints.at[k]) : 100;
}

/* Passes the checkpoints that are reached. The last one ends the refresh, and is no pause. */
static void reach_checkpoints(struct scaling_refresh *next, int64_t now_us)
{
	while (!next->rollback_us && next->reached + 1 < (int64_t) next->checkpoints.count &&
	       next->percent >= checkpoint_of(next, (size_t) next->reached)) {
		next->reached++;
		next->pause_us = now_us + next->checkpoint_s * SECOND;
	}
}

/* Number of instances that may be replaced before the next checkpoint, beyond those that were. */
static int64_t before_checkpoint(const struct scaling_refresh *r, const struct tally *n)
{
	if (r->rollback_us || !r->checkpoints.count)
		return INT64_MAX;
	int64_t most = (r->total * checkpoint_of(r, (size_t) r->reached) + 99) / 100;
	return most - (r->total - n->stale);
}

static bool is_at_goal(const struct scaling_refresh *r, const struct tally *n)
{
	if (n->warming || n->missing)
		return false;
	bool ends_early = !r->rollback_us && r->checkpoints.count;
	return !n->stale || (ends_early && r->percent >= checkpoint_of(r, r->checkpoints.count - 1));
}

/* ---- the plan ---- */

/* Units beyond the desired capacity while instances are launched before others go. */
static int64_t surge_of(const struct scaling_group *group, const struct scaling_refresh *r,
			const struct tally *n)
{
	int64_t most = r->max_healthy > 100 ? group->desired * r->max_healthy / 100 - group->desired : 0;
	int64_t allowed = before_checkpoint(r, n);
	if (r->min_healthy >= 100 && !most)
		most = 1;
	return allowed <= 0 ? 0 : min_of(most, min_of(n->ready, allowed));
}

/* True if the healthy capacity stays large enough without the member. Below 100 percent, one instance may always go. */
static bool may_replace(const struct scaling_group *group, const struct scaling_refresh *r,
			const struct tally *n)
{
	int64_t least = (group->desired * r->min_healthy + 99) / 100;
	int64_t lost = is_serving(n->go) ? n->go->units : 0;
	if (r->min_healthy < 100 && least > group->desired - n->go->units)
		least = group->desired - n->go->units;
	return !lost || n->healthy - lost >= least;
}

static void explain(struct scaling_refresh *next, const struct tally *n, bool is_suspended)
{
	next->example = UUID_NONE;
	next->why = SCALING_REFRESH_WHY_NOTHING;
	if (next->pause_us) {
		next->why = SCALING_REFRESH_WHY_CHECKPOINT;
	} else if (is_suspended) {
		next->why = SCALING_REFRESH_WHY_SUSPENDED;
	} else if (n->warming) {
		next->why = SCALING_REFRESH_WHY_WARMING;
		next->example = n->warm;
	} else if (n->stale && !n->go && !uuid_is_none(n->protected)) {
		next->why = SCALING_REFRESH_WHY_PROTECTED;
		next->example = n->protected;
	} else if (n->stale && !n->go && !uuid_is_none(n->standby)) {
		next->why = SCALING_REFRESH_WHY_STANDBY;
		next->example = n->standby;
	}
}

static bool is_suspended(const struct scaling_group *group)
{
	return engine_is_scaling_suspended(group, "InstanceRefresh") ||
	       engine_is_scaling_suspended(group, "Terminate") ||
	       engine_is_scaling_suspended(group, "Launch");
}

/* All instances are replaced: bakes, then ends. */
static void finish(struct scaling_refresh *next, int64_t now_us)
{
	if (next->rollback_us) {
		end(next, SCALING_REFRESH_STATUS_ROLLBACK_SUCCESSFUL, SCALING_REFRESH_WHY_NOTHING, now_us);
	} else if (next->bake_s > 0 && next->status != SCALING_REFRESH_STATUS_BAKING) {
		next->status = SCALING_REFRESH_STATUS_BAKING;
		next->why = SCALING_REFRESH_WHY_BAKING;
		next->example = UUID_NONE;
		next->pause_us = now_us + next->bake_s * SECOND;
	} else {
		end(next, SCALING_REFRESH_STATUS_SUCCESSFUL, SCALING_REFRESH_WHY_NOTHING, now_us);
	}
}

/* Replaces, waits or fails. *ret_member: goes now. */
static void go_on(const struct tables *t, const struct scaling_group *group, const struct tally *n,
		  int64_t now_us, struct refresh_plan *plan)
{
	struct scaling_refresh *next = &plan->next;
	int64_t began_us = next->rollback_us ? next->rollback_us : next->row.created_us;
	int64_t patient_us = next->progress_us + PATIENCE_S * SECOND + warmup_of(group, next);
	int64_t last_us = began_us + LONGEST_S * SECOND;
	bool rests = is_suspended(group);
	explain(next, n, rests);
	if (now_us >= patient_us || now_us >= last_us) {
		fail(t, next, now_us >= last_us, now_us);
		return;
	}
	plan->due_us = min_of(n->warm_us, min_of(patient_us, last_us));
	if (rests)
		return;
	plan->surge = surge_of(group, next, n);
	if (n->go && before_checkpoint(next, n) > 0 && may_replace(group, next, n))
		plan->member = n->go;
}

static void plan_active(const struct tables *t, const struct scaling_group *group, const struct tally *n,
			int64_t now_us, struct refresh_plan *plan)
{
	struct scaling_refresh *next = &plan->next;
	note_progress(next, n, now_us);
	if (next->pause_us && now_us >= next->pause_us) {
		next->pause_us = 0;
		next->progress_us = now_us;
		if (next->status == SCALING_REFRESH_STATUS_BAKING) {
			finish(next, now_us);
			return;
		}
	}
	reach_checkpoints(next, now_us);
	if (next->pause_us) {
		if (next->status != SCALING_REFRESH_STATUS_BAKING)
			explain(next, n, false);
		plan->due_us = next->pause_us;
	} else if (is_at_goal(next, n)) {
		finish(next, now_us);
	} else {
		go_on(t, group, n, now_us, plan);
	}
}

/* Launches and terminations that are under way end first, but not for longer than a refresh waits in general. */
static void plan_cancelling(const struct tally *n, int64_t now_us, struct refresh_plan *plan)
{
	int64_t last_us = plan->next.progress_us + PATIENCE_S * SECOND;
	if (!n->moving || now_us >= last_us)
		end(&plan->next, SCALING_REFRESH_STATUS_CANCELLED, SCALING_REFRESH_WHY_USER, now_us);
	else
		plan->due_us = last_us;
}

static bool has_changed(const struct scaling_refresh *a, const struct scaling_refresh *b)
{
	return a->status != b->status || a->why != b->why || !uuid_equal(a->example, b->example) ||
	       a->total != b->total || a->percent != b->percent || a->remaining != b->remaining ||
	       a->left != b->left || a->reached != b->reached || a->pause_us != b->pause_us;
}

void scaling_plan_refresh(const struct tables *t, const struct scaling_group *group, int64_t now_us,
			  struct refresh_plan *ret_plan)
{
	const struct scaling_refresh *r = engine_find_scaling_refresh(t, group->row.id);
	*ret_plan = (struct refresh_plan){.due_us = INT64_MAX};
	if (!r)
		return;
	struct tally n = count(t, group, r, now_us);
	ret_plan->next = *r;
	if (r->status == SCALING_REFRESH_STATUS_PENDING) {
		ret_plan->next.status = SCALING_REFRESH_STATUS_IN_PROGRESS;
		ret_plan->next.total = ret_plan->next.remaining = ret_plan->next.left = n.stale;
		ret_plan->next.progress_us = now_us;
	} else if (r->status == SCALING_REFRESH_STATUS_CANCELLING) {
		plan_cancelling(&n, now_us, ret_plan);
	} else {
		plan_active(t, group, &n, now_us, ret_plan);
	}
	ret_plan->act = has_changed(r, &ret_plan->next) ? REFRESH_NOTE
			: ret_plan->member              ? REFRESH_REPLACE
							: REFRESH_REST;
}
