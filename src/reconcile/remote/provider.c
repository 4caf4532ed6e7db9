/* SPDX-License-Identifier: Apache-2.0
 * Steps of providers. A step sends one request: a step of the verification, or one page of a listing of machines or of
 * other resources (resources.c), so that acts on machines get their turn in between. A listing compares each page with
 * the rows and reports only what differs. After the last page, rows that no page had are missed once, and forgotten at
 * the second miss. If more than 30 % are missing, or a page failed, nothing is forgotten. */
#include "store/provider.h"
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/heap.h"
#include "engine/remote/remote_machine.h"
#include "reconcile/remote/lane.h"
#include "store/remote_machine.h"

enum {
	CHUNK = 500,
	PAGES_MIN = 40,
	VANISHED_PERCENT_MAX = 30,
	REFUSED_RETRY_S = 3600, /* clouds lock users that keep failing */
	OTHERS_MAX = 4 * REMOTE_MACHINES_MAX
};
#define VERIFY_EVERY_US (24 * HOUR)

/* The provider's row and what else a step needs from the view. */
struct gathered {
	const struct provider *provider; /* NULL: gone */
	bool is_deleted;
	struct str machine; /* id of any machine, to try rights with; empty: none */
};

static RESULT gather(struct step *s, struct gathered *g)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct provider *p = provider_find(view.tables, s->id);
	if (!p)
		return OK;
	g->is_deleted = !row_is_live(&p->row);
	g->provider = STEP_COPY(s, KIND_PROVIDER, struct provider, p);
	const struct remote_machine *m = remote_machine_first_by_provider(view.tables, s->id);
	if (m)
		g->machine = str_copy(s->ctx.arena, m->ref);
	return OK;
}

static struct provider_report *new_report(struct step *s, const struct provider *p)
{
	struct provider_report *report = arena_new_object(s->ctx.arena, struct provider_report);
	if (report)
		*report = (struct provider_report){.provider = p->row.id,
						   .gen = p->row.gen,
						   .status = p->status,
						   .problem = p->problem,
						   .held = p->held};
	return report;
}

/* ---- failures ---- */

static enum provider_status status_of(enum err err)
{
	if (err == ERR_UNAUTHENTICATED || err == ERR_DENIED || err == ERR_EXPIRED)
		return PROVIDER_STATUS_DENIED;
	return err == ERR_GONE || err == ERR_TIMEOUT ? PROVIDER_STATUS_UNREACHABLE : PROVIDER_STATUS_FAILING;
}

/* Failures in a row, after which a throttled or busy cloud counts as a problem: short bursts are normal there. */
enum { BUSY_FAILURES = 3 };

/* Reports the failure in the row; the step itself is OK, because the lane has pauses of its own, by cloud and not by resource. */
static RESULT fail(struct step *s, struct provider_lane *lane, const struct provider *p,
		   const struct remote *remote, struct result result)
{
	bool is_refused = status_of(result.code) == PROVIDER_STATUS_DENIED;
	bool is_busy = result.code == ERR_THROTTLED || result.code == ERR_AGAIN;
	if (result.code == ERR_NO_MEMORY)
		return result;
	if (result.code == ERR_THROTTLED)
		pace_slow_down(&lane->pace, clock_now_us());
	lane->failures++;
	lane->machines_due_us = 0; /* before anything else: that listing sets the status */
	lane->next_us = is_refused ? clock_now_us() + REFUSED_RETRY_S * SECOND
				   : remote_next_try_us(lane->failures, remote->wait_us);
	if (!is_busy || lane->failures > BUSY_FAILURES) {
		/* a listing that was cut cannot be continued */
		lane->is_listing = lane->is_verifying = false;
		struct provider_report *report = new_report(s, p);
		if (!report)
			return ctx_no_memory(&s->ctx);
		report->status = status_of(result.code);
		report->problem = s->ctx.problem.message;
		step_report(s, engine_see_provider_run, report);
	}
	ctx_clear_problem(&s->ctx);
	step_again_at(s, lane->next_us);
	return OK;
}

/* ---- verification ---- */

static bool must_verify(const struct provider_lane *lane, const struct provider *p, int64_t now_us)
{
	return lane->is_verifying ||
	       (!lane->is_listing && (!p->verified_us || p->verified_us + VERIFY_EVERY_US <= now_us));
}

/* Keeps a missing right in the lane until the verification is over. */
static void keep_lacks(struct provider_lane *lane, struct strs lacks)
{
	for (size_t k = 0; k < lacks.count; k++) {
		size_t used = strlen(lane->lacks);
		if (used + lacks.at[k].n + 2 > sizeof lane->lacks)
			return;
		memcpy(lane->lacks + used, lacks.at[k].p, lacks.at[k].n);
		memcpy(lane->lacks + used + lacks.at[k].n, "\n", 2);
	}
}

static RESULT end_verification(struct step *s, struct provider_lane *lane, const struct provider *p)
{
	struct provider_report *report = new_report(s, p);
	struct str *lacks = arena_new_array(s->ctx.arena, struct str, REMOTE_RIGHTS_MAX);
	struct str rest = str_copy(s->ctx.arena, str_from(lane->lacks)), line;
	size_t count = 0;
	if (!report || !lacks)
		return ctx_no_memory(&s->ctx);
	while (count < REMOTE_RIGHTS_MAX && str_split_next(&rest, '\n', &line))
		if (line.n)
			lacks[count++] = line;
	report->has_verified = true;
	report->identity = str_copy(s->ctx.arena, str_from(lane->identity));
	report->lacks = (struct strs){lacks, count};
	step_report(s, engine_see_provider_run, report);
	lane->is_verifying = false;
	step_again(s);
	return OK;
}

/* Rows of one account must never be compared with another account's listing. */
static RESULT check_identity(struct step *s, const struct provider *p, struct str account)
{
	if (!p->identity.n || str_equal(p->identity, account))
		return OK;
	return ctx_fail(&s->ctx, ERR_INVALID,
			"The credentials belong to account %" STR_FMT
			", and the machines listed so far to %" STR_FMT
			". Nothing is changed; add another provider for another account.",
			STR_ARG(account), STR_ARG(p->identity));
}

static RESULT verify(struct step *s, struct provider_lane *lane, const struct gathered *g,
		     struct remote *remote)
{
	struct remote_identity identity = {0};
	bool is_over = false;
	if (!lane->is_verifying) {
		lane->is_verifying = true;
		lane->verify_step = 0;
		lane->lacks[0] = lane->identity[0] = '\0';
	}
	const struct remote_driver *driver = remote_driver_of((int) g->provider->cloud);
	TRY(driver->verify(&s->ctx, remote, lane->verify_step, g->machine, &identity, &is_over));
	if (lane->verify_step == 0) {
		TRY(check_identity(s, g->provider, identity.account));
		(void) snprintf(lane->identity, sizeof lane->identity, "%" STR_FMT,
				STR_ARG(identity.account));
	}
	keep_lacks(lane, identity.lacks);
	lane->verify_step++;
	if (is_over)
		return end_verification(s, lane, g->provider);
	step_again(s);
	return OK;
}

/* ---- listing ---- */

/* Machines of a page that differ from their rows. */
struct changes {
	struct remote_machine *at;
	size_t count;
};

/* The row of a listed machine: by the cloud's id, or by the token of a creation whose answer was lost. */
static const struct remote_machine *find_listed(const struct tables *t, uuid provider,
						const struct remote_machine *m)
{
	const struct remote_machine *row = remote_machine_find_by_provider(t, provider, m->ref);
	if (row || uuid_is_none(m->row.id))
		return row;
	row = remote_machine_find(t, m->row.id);
	return row && uuid_equal(row->provider, provider) && engine_remote_machine_is_new(row) ? row : NULL;
}

static RESULT compare_page(struct step *s, struct provider_lane *lane, const struct remote_page *page,
			   struct changes *changes)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	changes->at = arena_new_array(s->ctx.arena, struct remote_machine, page->count + 1);
	if (!changes->at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < page->count; k++) {
		struct remote_machine *m = &page->machines[k];
		const struct remote_machine *row = find_listed(view.tables, s->id, m);
		m->row.id = row ? row->row.id : id_new(KIND_REMOTE_MACHINE);
		if (!row || engine_remote_machine_differs(row, m))
			changes->at[changes->count++] = *m;
		if (!id_set_add(&lane->seen, m->row.id))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT report_changes(struct step *s, const struct provider *p, const struct changes *changes)
{
	for (size_t k = 0; k < changes->count; k += CHUNK) {
		struct remote_machines_report *report = STEP_NEW(s, struct remote_machines_report);
		size_t left = changes->count - k;
		*report = (struct remote_machines_report){.provider = p->row.id,
							  .at = changes->at + k,
							  .count = left < CHUNK ? left : CHUNK,
							  .is_first = !p->listed_us};
		step_report(s, engine_see_remote_machines_run, report);
	}
	return OK;
}

RESULT provider_take_machines(struct step *s, struct provider_lane *lane, const struct provider *p,
			      const struct remote_page *page)
{
	struct changes changes = {0};
	TRY(compare_page(s, lane, page, &changes));
	return report_changes(s, p, &changes);
}

/* Rows that the listing lacked. Terminated machines leave the listing soon, so they do not count as vanished. */
struct missing_ids {
	VEC(uuid);
};
struct missing {
	struct missing_ids vanished, ended; /* ended: terminated before */
	size_t alive;
};

static RESULT find_missing(struct step *s, const struct provider_lane *lane, struct missing *missing)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (const struct remote_machine *m = remote_machine_first_by_provider(view.tables, s->id); m;
	     m = remote_machine_next_by_provider(view.tables, m)) {
		bool is_alive = m->power != REMOTE_MACHINE_POWER_TERMINATED &&
				m->power != REMOTE_MACHINE_POWER_TERMINATING;
		missing->alive += is_alive;
		if (id_set_has(&lane->seen, m->row.id) || m->act == REMOTE_MACHINE_ACT_CREATE)
			continue;
		struct missing_ids *ids = is_alive ? &missing->vanished : &missing->ended;
		if (!VEC_PUSH(s->ctx.arena, ids, m->row.id))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static void note_unnamed(struct provider_lane *lane, const struct remote_page *page)
{
	struct str id = str_cut(page->unnamed_id, PROVIDER_ID_MAX), known = str_from(lane->unnamed_id);
	lane->unnamed += page->unnamed;
	if (!id.n || (known.n && str_compare(known, id) <= 0))
		return;
	memcpy(lane->unnamed_id, id.p, id.n);
	lane->unnamed_id[id.n] = '\0';
}

/* The sentence about machines that the listing left out; empty: none. */
static struct str describe_unnamed(struct step *s, const struct provider_lane *lane)
{
	return lane->unnamed ? str_print(s->ctx.arena,
					 "Machines that are not shown: %zu. Their ids have letters outside "
					 "ASCII, such as "
					 "%s.",
					 lane->unnamed, lane->unnamed_id)
			     : STR_NONE;
}

static RESULT report_missing(struct step *s, const struct provider *p, const struct missing_ids *ids)
{
	for (size_t k = 0; k < ids->count; k += CHUNK) {
		struct remote_machines_loss *loss = STEP_NEW(s, struct remote_machines_loss);
		size_t left = ids->count - k;
		*loss = (struct remote_machines_loss){.provider = p->row.id,
						      .at = ids->at + k,
						      .count = left < CHUNK ? left : CHUNK,
						      .is_final = p->accepts_loss};
		step_report(s, engine_miss_remote_machines_run, loss);
	}
	return OK;
}

/* An accepted loss is forgotten over several steps: further rows are missing in the next one, too. */
static RESULT end_listing(struct step *s, struct provider_lane *lane, const struct provider *p)
{
	struct missing missing = {0};
	struct provider_report *report = new_report(s, p);
	if (!report)
		return ctx_no_memory(&s->ctx);
	TRY(find_missing(s, lane, &missing));
	if (p->accepts_loss && missing.vanished.count > PROVIDER_FORGOTTEN_MAX) {
		missing.vanished.count = PROVIDER_FORGOTTEN_MAX;
		lane->is_read = true;
		step_again(s);
		return report_missing(s, p, &missing.vanished);
	}
	bool is_too_many =
		!p->accepts_loss && missing.vanished.count * 100 > missing.alive * VANISHED_PERCENT_MAX;
	TRY(report_missing(s, p, &missing.ended));
	if (!is_too_many)
		TRY(report_missing(s, p, &missing.vanished));
	*report = (struct provider_report){.provider = p->row.id,
					   .gen = p->row.gen,
					   .status = PROVIDER_STATUS_OK,
					   .problem = describe_unnamed(s, lane),
					   .has_listed = true,
					   .held = is_too_many ? (int64_t) missing.vanished.count : 0};
	step_report(s, engine_see_provider_run, report);
	lane_end_listing(lane);
	lane->machines_due_us = lane->began_us + p->poll_s * SECOND;
	step_again(s);
	return OK;
}

/* The rows are as fresh as the listing only when its changes are committed. If that failed, it is repeated. */
static RESULT note_refreshed(struct step *s, struct provider_lane *lane)
{
	struct provider_refreshed *note = STEP_NEW(s, struct provider_refreshed);
	struct remote_type_refreshed *type_note = STEP_NEW(s, struct remote_type_refreshed);
	*note = (struct provider_refreshed){.provider = s->id, .at_us = lane->ended_us};
	*type_note = (struct remote_type_refreshed){
		.provider = s->id, .type = lane->type, .at_us = lane->ended_us};
	if (s->work->failures && lane->ended_resources)
		lane->types[lane->type].due_us = 0;
	else if (s->work->failures)
		lane->machines_due_us = 0;
	else if (lane->ended_resources)
		step_report(s, engine_note_type_refreshed_run, type_note);
	else
		step_report(s, engine_note_refreshed_run, note);
	if (lane->ended_large)
		heap_trim(); /* malloc() would keep the pages' memory until the next listing */
	lane->ended_us = 0;
	return OK;
}

/* A cloud may send empty pages, but not without end. Pages of entries that are no machines of the listing, such as
 * those of another zone, are not empty. */
static RESULT check_size(struct step *s, struct provider_lane *lane, const struct remote_page *page)
{
	lane->others += page->entries > page->count ? page->entries - page->count : 0;
	if (lane->seen.count > REMOTE_MACHINES_MAX || lane->others > OTHERS_MAX)
		return ctx_fail(&s->ctx, ERR_IO, "The cloud lists more than %d machines, which is too many.",
				REMOTE_MACHINES_MAX);
	if (++lane->pages > PAGES_MIN + lane->seen.count + lane->others)
		return ctx_fail(&s->ctx, ERR_IO,
				"The answer is not usable: the listing has more pages than machines.");
	return OK;
}

static RESULT list_page(struct step *s, struct provider_lane *lane, const struct gathered *g,
			struct remote *remote)
{
	struct remote_page page = {0};
	struct changes changes = {0};
	if (!lane->is_listing) {
		lane_begin_listing(lane);
		lane->is_of_resources = false;
		lane->machines_began_us = lane->began_us;
	}
	if (lane->is_read)
		return end_listing(s, lane, g->provider);
	const struct remote_driver *driver = remote_driver_of((int) g->provider->cloud);
	TRY(driver->list(&s->ctx, remote, str_copy(s->ctx.arena, str_from(lane->cursor)), &page));
	TRY(compare_page(s, lane, &page, &changes));
	TRY(check_size(s, lane, &page));
	note_unnamed(lane, &page);
	TRY(report_changes(s, g->provider, &changes));
	if (!page.cursor.n)
		return end_listing(s, lane, g->provider);
	TRY(lane_keep_cursor(s, lane, page.cursor));
	step_again(s); /* for the next page, after an act that waits */
	return OK;
}

/* ---- the step ---- */

static RESULT forget(struct step *s)
{
	struct provider_end *end = STEP_NEW(s, struct provider_end);
	struct provider_lane *lane = provider_lane_of(s->r, s->id);
	if (lane)
		remote_leave(s->r, lane);
	end->provider = s->id;
	step_report(s, engine_forget_provider_run, end);
	step_again(s); /* one change forgets some rows only, until the provider itself goes */
	return OK;
}

/* A change of the row ends what is under way. */
static void take_wish(struct provider_lane *lane, const struct provider *p)
{
	if (lane->gen == p->row.gen)
		return;
	lane->gen = p->row.gen;
	lane->next_us = lane->machines_due_us = 0;
	lane->failures = 0;
	lane->is_listing = lane->is_verifying = false;
	resources_reset(lane, p->accepts_loss);
	metrics_reset(lane);
	changes_reset(lane);
}

/* A time that is further away than any interval: the clock was set back. */
static bool is_ahead(int64_t due_us, int64_t now_us)
{
	return due_us > now_us && due_us < now_us + PROVIDER_POLL_MAX_S * SECOND;
}

/* Time of the next request. */
static int64_t due_of(const struct provider_lane *lane, const struct provider *p, int64_t now_us)
{
	enum remote_resource_type type;
	if (is_ahead(lane->next_us, now_us))
		return lane->next_us;
	if (lane->is_listing || must_verify(lane, p, now_us))
		return 0;
	int64_t changes_us = changes_due_us(lane, p);
	int64_t resources_us =
		p->listed_us ? resources_due_us(lane, remote_driver_of((int) p->cloud)->types, &type)
			     : INT64_MAX;
	int64_t listing_us = resources_us < lane->machines_due_us ? resources_us : lane->machines_due_us;
	int64_t metrics_us = metrics_due_us(lane, p);
	listing_us = changes_us < listing_us ? changes_us : listing_us;
	return metrics_us < listing_us ? metrics_us : listing_us;
}

/* Changes go first, but a listing that is due or under way gets every second turn. */
static bool reads_changes(const struct provider_lane *lane, const struct provider *p, int64_t now_us)
{
	enum remote_resource_type type;
	int64_t due_us = changes_due_us(lane, p);
	unsigned types = remote_driver_of((int) p->cloud)->types;
	bool has_listing = lane->is_listing || !is_ahead(lane->machines_due_us, now_us) ||
			   (types && !is_ahead(resources_due_us(lane, types, &type), now_us));
	return due_us != INT64_MAX && !is_ahead(due_us, now_us) && !(has_listing && lane->fed);
}

/* Metrics are read when nothing is to be listed. */
static bool reads_metrics(const struct provider_lane *lane, const struct provider *p, int64_t now_us)
{
	return !lane->is_listing && is_ahead(lane->machines_due_us, now_us) &&
	       metrics_due_us(lane, p) != INT64_MAX && !is_ahead(metrics_due_us(lane, p), now_us);
}

/* Machines go first, because acts are about them. */
static void choose_listing(struct step *s, struct provider_lane *lane, const struct provider *p,
			   int64_t now_us)
{
	enum remote_resource_type type = REMOTE_RESOURCE_TYPE_IMAGE;
	unsigned types = remote_driver_of((int) p->cloud)->types;
	bool is_machines = !is_ahead(lane->machines_due_us, now_us);
	if (lane->is_listing || is_machines || !types ||
	    is_ahead(resources_due_us(lane, types, &type), now_us))
		return;
	lane_begin_listing(lane);
	lane->is_of_resources = true;
	lane->type = type;
	lane->is_first = !resources_have_rows(s, type);
}

/* Subject of a step's request. */
enum turn { TURN_VERIFICATION, TURN_CHANGES, TURN_RESOURCES, TURN_METRICS, TURN_MACHINES };

static enum turn choose_turn(struct step *s, struct provider_lane *lane, const struct provider *p)
{
	int64_t now_us = clock_now_us();
	if (must_verify(lane, p, now_us))
		return TURN_VERIFICATION;
	if (reads_changes(lane, p, now_us))
		return TURN_CHANGES;
	choose_listing(s, lane, p, now_us);
	if (lane->is_listing && lane->is_of_resources)
		return TURN_RESOURCES;
	return reads_metrics(lane, p, now_us) ? TURN_METRICS : TURN_MACHINES;
}

static RESULT take_turn(struct step *s, struct provider_lane *lane, const struct gathered *g,
			struct remote *remote, enum turn turn)
{
	lane->fed = turn == TURN_CHANGES;
	switch (turn) {
	case TURN_VERIFICATION:
		return verify(s, lane, g, remote);
	case TURN_CHANGES:
		return changes_read(s, lane, g->provider, remote);
	case TURN_RESOURCES:
		return resources_list_page(s, lane, g->provider, remote);
	case TURN_METRICS:
		return metrics_read_batch(s, lane, g->provider, remote);
	case TURN_MACHINES:
		break;
	}
	return list_page(s, lane, g, remote);
}

/* False: the failure concerns the provider. */
static bool take_failure(struct step *s, struct provider_lane *lane, const struct provider *p, enum turn turn,
			 struct result result)
{
	return (turn == TURN_CHANGES && changes_take_failure(s, lane, result)) ||
	       (turn == TURN_RESOURCES && resources_take_failure(s, lane, p, result)) ||
	       (turn == TURN_METRICS && metrics_take_failure(s, lane, result));
}

static RESULT call_cloud(struct step *s, struct provider_lane *lane, const struct gathered *g)
{
	struct remote remote;
	struct result result = remote_open(s, g->provider, lane, &remote);
	enum turn turn = choose_turn(s, lane, g->provider);
	if (result_is_ok(result))
		result = take_turn(s, lane, g, &remote, turn);
	remote_close(&remote);
	bool is_over = result_is_ok(result) || take_failure(s, lane, g->provider, turn, result);
	return is_over ? OK : fail(s, lane, g->provider, &remote, result);
}

static RESULT step_provider(struct step *s)
{
	struct gathered g = {0};
	int64_t due_us = 0, now_us = clock_now_us();
	TRY(gather(s, &g));
	if (!g.provider) {
		provider_lane_retire(s->r, s->id);
		return OK;
	}
	if (g.is_deleted)
		return forget(s);
	struct provider_lane *lane = provider_lane_of(s->r, s->id);
	if (!lane)
		return ctx_no_memory(&s->ctx);
	if (lane->ended_us)
		TRY(note_refreshed(s, lane));
	take_wish(lane, g.provider);
	due_us = due_of(lane, g.provider, now_us);
	if (is_ahead(due_us, now_us)) {
		step_again_at(s, due_us);
		return OK;
	}
	if (!pace_take(&lane->pace, now_us, &due_us)) {
		step_again_at(s, due_us);
		return OK;
	}
	return call_cloud(s, lane, &g);
}

static void wake_provider(struct reconciler *r, const struct row *row)
{
	const struct provider_lane *lane = provider_lane_of(r, row->id);
	if (lane)
		work_wake(r, lane->lane, KIND_PROVIDER, row->id, WAKE_WISH);
	else
		work_note_loss(r);
}

/* Reports of the step itself leave gen as it was. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen || row_is_live(before) != row_is_live(after))
		wake_provider(r, after);
}

const struct resource reconcile_provider = {
	.step = step_provider, .is_swept = true, .wake = wake_provider, .wake_changed = wake_changed};
