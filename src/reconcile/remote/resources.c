/* SPDX-License-Identifier: Apache-2.0
 * Listings of what providers have besides machines, one type after another, in the provider's own lane. As for machines,
 * a page is compared with the rows and only differences are reported, and a row goes when two complete listings lacked
 * it. A type that cannot be listed, such as for want of a right, is no problem of the provider: its rows stay, and the
 * provider says why. */
#include <string.h>

#include "base/clock.h"
#include "reconcile/remote/lane.h"
#include "store/provider.h"
#include "store/remote_resource.h"

/* SLOWER, SLOWEST: intervals in those of machines: half an hour, and a day. Few may vanish unasked, because most types
 * have few rows. */
enum {
	CHUNK = 500,
	PAGES_MIN = 40,
	SLOWER = 6,
	SLOWEST = 288,
	FEW = 10,
	VANISHED_PERCENT_MAX = 30,
	TRIES = 3 /* throttled listings of a type in a row until the type waits for its next turn */
};

/* ---- what is due ---- */

void resources_reset(struct provider_lane *lane, bool accepts_loss)
{
	for (size_t k = 0; k < REMOTE_RESOURCE_TYPES; k++) {
		lane->types[k].due_us = 0;
		lane->types[k].accepts_loss |= accepts_loss;
	}
}

int64_t resources_due_us(const struct provider_lane *lane, unsigned types,
			 enum remote_resource_type *ret_type)
{
	int64_t due_us = INT64_MAX;
	for (unsigned k = 0; k < REMOTE_RESOURCE_TYPES; k++)
		if (types & 1U << k && lane->types[k].due_us < due_us) {
			due_us = lane->types[k].due_us;
			*ret_type = (enum remote_resource_type) k;
		}
	return due_us;
}

/* Images and types of instances change seldom, and their lists are long. */
static int64_t interval_of(const struct provider *p, enum remote_resource_type type)
{
	bool is_slow = type == REMOTE_RESOURCE_TYPE_IMAGE || type == REMOTE_RESOURCE_TYPE_INSTANCE_TYPE;
	int64_t wait_s = p->poll_s * (is_slow ? SLOWEST : SLOWER);
	return (wait_s < PROVIDER_POLL_MAX_S ? wait_s : PROVIDER_POLL_MAX_S - 1) * SECOND;
}

void resources_hurry(struct provider_lane *lane, const struct provider *p, enum remote_resource_type type)
{
	struct type_pace *pace = &lane->types[type];
	int64_t began_us = pace->due_us - interval_of(p, type);
	if (pace->due_us && pace->due_us > began_us + MINUTE)
		pace->due_us = began_us + MINUTE;
}

/* ---- rows ---- */

static const struct remote_resource *first_of_type(const struct tables *t, uuid provider,
						   enum remote_resource_type type)
{
	const struct remote_resource probe = {.provider = provider, .type = type};
	return remote_resource_of(
		tables_first(t, KIND_REMOTE_RESOURCE, REMOTE_RESOURCE_INDEX_PROVIDER, &probe.row, 2));
}

static const struct remote_resource *next_of_type(const struct tables *t, const struct remote_resource *r)
{
	return remote_resource_of(
		tables_next(t, KIND_REMOTE_RESOURCE, REMOTE_RESOURCE_INDEX_PROVIDER, &r->row, 2));
}

bool resources_have_rows(struct step *s, enum remote_resource_type type)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	return first_of_type(view.tables, s->id, type);
}

/* ---- a page ---- */

/* Resources of a page that differ from their rows. */
struct changes {
	struct remote_resource *at;
	size_t count;
};

/* A cloud may list a resource twice, such as an image once a zone: the first entry counts. */
static RESULT compare_page(struct step *s, struct provider_lane *lane,
			   const struct remote_resource_page *page, struct changes *changes)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	changes->at = arena_new_array(s->ctx.arena, struct remote_resource, page->count + 1);
	if (!changes->at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < page->count; k++) {
		struct remote_resource *r = &page->at[k];
		const struct remote_resource *row =
			remote_resource_find_by_provider(view.tables, s->id, r->type, r->ref);
		if (row && id_set_has(&lane->seen, row->row.id))
			continue;
		r->row.id = row ? row->row.id : id_new(KIND_REMOTE_RESOURCE);
		if (!row || engine_remote_resource_differs(row, r))
			changes->at[changes->count++] = *r;
		if (!id_set_add(&lane->seen, r->row.id))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT report_changes(struct step *s, const struct provider_lane *lane, const struct changes *changes)
{
	for (size_t k = 0; k < changes->count; k += CHUNK) {
		struct remote_resources_report *report = STEP_NEW(s, struct remote_resources_report);
		size_t left = changes->count - k;
		*report = (struct remote_resources_report){.provider = s->id,
							   .at = changes->at + k,
							   .count = left < CHUNK ? left : CHUNK,
							   .is_first = lane->is_first};
		step_report(s, engine_see_remote_resources_run, report);
	}
	return OK;
}

static RESULT check_size(struct step *s, struct provider_lane *lane, const struct remote_resource_page *page)
{
	lane->others += page->entries > page->count ? page->entries - page->count : 0;
	if (lane->seen.count + lane->others > REMOTE_RESOURCES_MAX)
		return ctx_fail(&s->ctx, ERR_IO,
				"The cloud lists more than %d resources of this type, which is too many.",
				REMOTE_RESOURCES_MAX);
	if (++lane->pages > PAGES_MIN + lane->seen.count + lane->others)
		return ctx_fail(&s->ctx, ERR_IO,
				"The answer is not usable: the listing has more pages than resources.");
	return OK;
}

/* ---- the end ---- */

static RESULT report_outcome(struct step *s, const struct provider_lane *lane, const struct provider *p,
			     struct str problem)
{
	struct remote_listing_report *report = STEP_NEW(s, struct remote_listing_report);
	*report = (struct remote_listing_report){
		.provider = s->id, .gen = p->row.gen, .type = lane->type, .problem = problem};
	step_report(s, engine_see_remote_listing_run, report);
	return OK;
}

struct missing {
	VEC(uuid);
};

static RESULT find_missing(struct step *s, const struct provider_lane *lane, struct missing *missing,
			   size_t *ret_known)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (const struct remote_resource *r = first_of_type(view.tables, s->id, lane->type); r;
	     r = next_of_type(view.tables, r)) {
		++*ret_known;
		if (!id_set_has(&lane->seen, r->row.id) && !VEC_PUSH(s->ctx.arena, missing, r->row.id))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT report_missing(struct step *s, const struct missing *missing, bool is_final)
{
	for (size_t k = 0; k < missing->count; k += CHUNK) {
		struct remote_resources_loss *loss = STEP_NEW(s, struct remote_resources_loss);
		size_t left = missing->count - k;
		*loss = (struct remote_resources_loss){.provider = s->id,
						       .at = missing->at + k,
						       .count = left < CHUNK ? left : CHUNK,
						       .is_final = is_final};
		step_report(s, engine_miss_remote_resources_run, loss);
	}
	return OK;
}

/* An accepted loss is forgotten over several steps: further rows are missing in the next one, too. */
static RESULT end_listing(struct step *s, struct provider_lane *lane, const struct provider *p)
{
	struct missing missing = {0};
	struct type_pace *pace = &lane->types[lane->type];
	struct str problem = STR_NONE;
	size_t known = 0;
	TRY(find_missing(s, lane, &missing, &known));
	if (pace->accepts_loss && missing.count > PROVIDER_FORGOTTEN_MAX) {
		missing.count = PROVIDER_FORGOTTEN_MAX;
		lane->is_read = true;
		step_again(s);
		return report_missing(s, &missing, true);
	}
	bool is_too_many = !pace->accepts_loss && missing.count > FEW &&
			   missing.count * 100 > known * VANISHED_PERCENT_MAX;
	if (is_too_many)
		problem = str_print(s->ctx.arena, "The last listing lacked %zu of %zu. They stay.",
				    missing.count, known);
	else
		TRY(report_missing(s, &missing, pace->accepts_loss));
	TRY(report_outcome(s, lane, p, problem));
	lane_end_listing(lane);
	*pace = (struct type_pace){.due_us = lane->began_us + interval_of(p, lane->type)};
	step_again(s); /* for the next type: no row changes that would wake the step */
	return OK;
}

/* ---- resources of stacks ---- */

/* The stack whose page comes next: the present one if it has further pages, otherwise the next in the order of refs.
 * False: there is none. */
static bool find_stack(struct step *s, const struct provider_lane *lane, struct remote_stack *ret_stack)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_resource probe = {
		.provider = s->id, .type = REMOTE_RESOURCE_TYPE_STACK, .ref = str_from(lane->stack)};
	const struct row *row =
		tables_seek(view.tables, KIND_REMOTE_RESOURCE, REMOTE_RESOURCE_INDEX_PROVIDER, &probe.row, 3);
	if (row && !lane->cursor[0] && str_equal(remote_resource_of(row)->ref, probe.ref))
		row = tables_next(view.tables, KIND_REMOTE_RESOURCE, REMOTE_RESOURCE_INDEX_PROVIDER, row, 2);
	const struct remote_resource *r = row ? remote_resource_of(row) : NULL;
	if (!r || !uuid_equal(r->provider, s->id) || r->type != REMOTE_RESOURCE_TYPE_STACK)
		return false;
	ret_stack->ref = str_copy(s->ctx.arena, r->ref);
	ret_stack->name = str_copy(s->ctx.arena, r->name);
	return true;
}

/* Reads a page of a stack's resources. A stack that has gone since stacks were listed has none. *ret_is_over: there is no
 * further stack. */
static RESULT read_stack(struct step *s, struct provider_lane *lane, const struct remote_driver *driver,
			 struct remote *remote, struct remote_resource_page *page, bool *ret_is_over)
{
	struct remote_stack stack;
	*ret_is_over = !find_stack(s, lane, &stack);
	if (*ret_is_over)
		return OK;
	if (!str_is(stack.ref, lane->stack))
		lane->cursor[0] = '\0'; /* the present one has gone here */
	memcpy(lane->stack, stack.ref.p, stack.ref.n);
	lane->stack[stack.ref.n] = '\0';
	struct str cursor = str_copy(s->ctx.arena, str_from(lane->cursor));
	struct result result = driver->list_stack(&s->ctx, remote, &stack, cursor, page);
	if (result.code == ERR_NOT_FOUND) {
		ctx_clear_problem(&s->ctx);
		*page = (struct remote_resource_page){0};
		result = OK;
	}
	page->entries = page->count + 1; /* so that stacks without resources may have pages */
	return result;
}

RESULT resources_list_page(struct step *s, struct provider_lane *lane, const struct provider *p,
			   struct remote *remote)
{
	struct remote_resource_page page = {0};
	struct changes changes = {0};
	bool is_of_stacks = lane->type == REMOTE_RESOURCE_TYPE_STACK_RESOURCE, is_over = false;
	if (lane->is_read)
		return end_listing(s, lane, p);
	const struct remote_driver *driver = remote_driver_of((int) p->cloud);
	TRY(is_of_stacks ? read_stack(s, lane, driver, remote, &page, &is_over)
			 : driver->list_resources(&s->ctx, remote, lane->type,
						  str_copy(s->ctx.arena, str_from(lane->cursor)), &page));
	if (is_over)
		return end_listing(s, lane, p);
	TRY(compare_page(s, lane, &page, &changes));
	TRY(check_size(s, lane, &page));
	TRY(report_changes(s, lane, &changes));
	if (!page.cursor.n && !is_of_stacks)
		return end_listing(s, lane, p);
	if (page.cursor.n)
		TRY(lane_keep_cursor(s, lane, page.cursor));
	else
		lane->cursor[0] = '\0';
	step_again(s); /* for the next page, after an act that waits */
	return OK;
}

/* ---- failures ---- */

/* True if the failure concerns only the lane's type of resources. Refused credentials and a cloud that does not answer
 * stop all types. A busy cloud gets TRIES attempts first, since it answers the same request later. */
static bool is_of_type(const struct provider_lane *lane, enum err err)
{
	if (err == ERR_THROTTLED || err == ERR_AGAIN)
		return lane->failures >= TRIES;
	return err != ERR_NO_MEMORY && err != ERR_UNAUTHENTICATED && err != ERR_EXPIRED && err != ERR_GONE &&
	       err != ERR_TIMEOUT;
}

bool resources_take_failure(struct step *s, struct provider_lane *lane, const struct provider *p,
			    struct result result)
{
	struct str why = s->ctx.problem.message;
	if (!is_of_type(lane, result.code) || !result_is_ok(report_outcome(s, lane, p, why)))
		return false;
	ctx_clear_problem(&s->ctx);
	lane->is_listing = false;
	lane->failures = 0;
	lane->types[lane->type].due_us = clock_now_us() + p->poll_s * SLOWER * SECOND;
	id_set_clear(&lane->seen);
	step_again(s); /* other types do not wait for this one */
	return true;
}
