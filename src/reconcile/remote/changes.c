/* SPDX-License-Identifier: Apache-2.0
 * Reads a provider's change feed in the provider's own lane. A change only names a machine, which is then read by itself, or a type that
 * is listed earlier; it is never believed. A lost, repeated or forged event therefore costs requests at most, and a
 * feed that cannot be read leaves the listings, which go on as without it. */
#include <string.h>

#include "base/clock.h"
#include "base/heap.h"
#include "engine/remote/remote_machine.h"
#include "reconcile/remote/lane.h"
#include "store/condition.h"
#include "store/provider.h"
#include "store/remote_machine.h"

/* ROUNDS_MAX: requests in a row while the feed has more. TRIES: transient failures in a row until they are a condition. */
enum { ROUNDS_MAX = 20, TRIES = 3 };
#define EVERY_US (15 * SECOND)
#define RETRY_US MINUTE
/* Machines that a flood of events or an unknown machine stands for are listed at most once in this time. */
#define LIST_EVERY_US MINUTE
#define YOUNG_US (10 * MINUTE)

static bool has_feed(const struct provider *p)
{
	const struct remote_driver *driver = remote_driver_of((int) p->cloud);
	return driver->read_changes && p->listed_us && (p->queue.n || !driver->needs_queue);
}

int64_t changes_due_us(const struct provider_lane *lane, const struct provider *p)
{
	const struct feed *feed = lane->feed;
	if (!has_feed(p))
		return INT64_MAX;
	return feed && !feed->machine_count ? feed->due_us : 0;
}

void changes_reset(struct provider_lane *lane)
{
	if (lane->feed)
		lane->feed->due_us = 0;
}

static RESULT say_problem(struct step *s, struct str problem)
{
	const struct condition wanted = {
		.subject_kind = KIND_PROVIDER,
		.subject = s->id,
		.name = STR(PROVIDER_UNFED),
		.message = problem,
		.advice = STR("Listings go on, and show changes later. Allow the credentials to read the "
			      "feed (AWS: "
			      "sqs:ReceiveMessage and sqs:DeleteMessage of the queue; Azure: "
			      "Microsoft.Insights/eventtypes/values/read).")};
	return step_report_condition(s, &wanted, problem.n);
}

/* ---- what has changed ---- */

/* False: the event is an earlier one again. Events without an id count each time. */
static bool is_new_event(struct feed *feed, uint64_t event)
{
	for (size_t k = 0; event && k < FEED_EVENTS_MAX; k++)
		if (feed->events[k] == event)
			return false;
	feed->events[feed->event_place++ % FEED_EVENTS_MAX] = event;
	return true;
}

static void hurry_machines(struct provider_lane *lane)
{
	int64_t due_us = lane->machines_began_us + LIST_EVERY_US;
	if (lane->machines_due_us > due_us)
		lane->machines_due_us = due_us;
}

static void add_machine(struct provider_lane *lane, struct str ref)
{
	struct feed *feed = lane->feed;
	for (size_t k = 0; k < feed->machine_count; k++)
		if (str_is(ref, feed->machines[k]))
			return;
	if (ref.n > PROVIDER_REF_MAX)
		return;
	if (feed->machine_count == FEED_MACHINES_MAX) {
		hurry_machines(lane);
		return;
	}
	memcpy(feed->machines[feed->machine_count], ref.p, ref.n);
	feed->machines[feed->machine_count++][ref.n] = '\0';
}

/* An event about several machines has one id. */
static void take_changes(struct provider_lane *lane, const struct provider *p,
			 const struct remote_changes *changes)
{
	uint64_t fresh = 0;
	for (size_t k = 0; k < changes->count; k++) {
		uint64_t event = changes->at[k].event;
		if ((event && event == fresh) || is_new_event(lane->feed, event)) {
			fresh = event;
			add_machine(lane, changes->at[k].ref);
		}
	}
	if (changes->has_overflow)
		hurry_machines(lane);
	for (unsigned k = 0; k < REMOTE_RESOURCE_TYPES; k++)
		if (changes->types & remote_driver_of((int) p->cloud)->types & 1U << k)
			resources_hurry(lane, p, (enum remote_resource_type) k);
}

static RESULT read_feed(struct step *s, struct provider_lane *lane, const struct provider *p,
			struct remote *remote)
{
	struct feed *feed = lane->feed;
	struct remote_changes changes = {0};
	struct str cursor = str_copy(s->ctx.arena, str_from(feed->cursor));
	TRY(remote_driver_of((int) p->cloud)->read_changes(&s->ctx, remote, cursor, &changes));
	if (changes.cursor.n && changes.cursor.n <= FEED_CURSOR_MAX) {
		memcpy(feed->cursor, changes.cursor.p, changes.cursor.n);
		feed->cursor[changes.cursor.n] = '\0';
	}
	take_changes(lane, p, &changes);
	feed->rounds = changes.has_more && feed->rounds < ROUNDS_MAX ? feed->rounds + 1 : 0;
	feed->due_us = feed->rounds ? 0 : clock_now_us() + EVERY_US;
	feed->failures = 0;
	step_again(s);
	return say_problem(s, STR_NONE);
}

/* ---- one machine ---- */

/* The row of a machine that the cloud no longer has; none: there is none. The cloud may not know a machine yet that is being created, or that
 * was created just now. */
static uuid find_gone(struct step *s, struct str ref)
{
	int64_t young_us = clock_now_us() - YOUNG_US;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_machine *m = remote_machine_find_by_provider(view.tables, s->id, ref);
	bool is_old = m && m->act != REMOTE_MACHINE_ACT_CREATE && m->row.created_us < young_us;
	return is_old ? m->row.id : UUID_NONE;
}

/* Two misses forget a row, as two listings would, unless a policy's playbook still needs it. */
static RESULT report_gone(struct step *s, struct str ref)
{
	uuid *id = STEP_NEW(s, uuid);
	*id = find_gone(s, ref);
	for (int k = 0; !uuid_is_none(*id) && k < 2; k++) {
		struct remote_machines_loss *loss = STEP_NEW(s, struct remote_machines_loss);
		*loss = (struct remote_machines_loss){.provider = s->id, .at = id, .count = 1};
		step_report(s, engine_miss_remote_machines_run, loss);
	}
	return OK;
}

static bool is_known(struct step *s, struct str ref)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	return remote_machine_find_by_provider(view.tables, s->id, ref);
}

static RESULT read_machine(struct step *s, struct provider_lane *lane, const struct provider *p,
			   struct remote *remote, struct str ref)
{
	const struct remote_driver *driver = remote_driver_of((int) p->cloud);
	struct remote_machine *machine = STEP_NEW(s, struct remote_machine);
	step_again(s);
	if (driver->gets_unlisted && !is_known(s, ref)) {
		hurry_machines(lane);
		return OK;
	}
	struct result result = driver->get(&s->ctx, remote, ref, machine);
	if (result.code == ERR_NOT_FOUND) {
		ctx_clear_problem(&s->ctx);
		return report_gone(s, ref);
	}
	TRY(result);
	if (machine->power == REMOTE_MACHINE_POWER_TERMINATED && !is_known(s, ref))
		return OK; /* clouds still describe machines that listings no longer have */
	const struct remote_page page = {.machines = machine, .count = 1};
	return provider_take_machines(s, lane, p, &page);
}

RESULT changes_read(struct step *s, struct provider_lane *lane, const struct provider *p,
		    struct remote *remote)
{
	if (!lane->feed && !(lane->feed = heap_new(struct feed)))
		return ctx_no_memory(&s->ctx);
	struct feed *feed = lane->feed;
	if (!feed->machine_count)
		return read_feed(s, lane, p, remote);
	struct str ref = str_copy(s->ctx.arena, str_from(feed->machines[--feed->machine_count]));
	return ref.p ? read_machine(s, lane, p, remote, ref) : ctx_no_memory(&s->ctx);
}

/* ---- failures ---- */

/* The machines that were still to be read show at the next listing. */
bool changes_take_failure(struct step *s, struct provider_lane *lane, struct result result)
{
	struct feed *feed = lane->feed;
	if (result.code == ERR_NO_MEMORY || !feed)
		return false;
	if (result.code == ERR_THROTTLED)
		pace_slow_down(&lane->pace, clock_now_us());
	struct str why = str_copy(s->ctx.arena, s->ctx.problem.message);
	ctx_clear_problem(&s->ctx);
	bool is_passing = remote_may_help_later(result.code) && ++feed->failures < TRIES;
	if (feed->machine_count)
		hurry_machines(lane); /* the feed does not name these machines again */
	feed->machine_count = 0;
	feed->rounds = 0;
	feed->due_us = clock_now_us() + RETRY_US;
	step_again(s); /* listings and acts go on */
	return is_passing || result_is_ok(say_problem(s, why.n ? why : STR("The cloud does not answer.")));
}
