/* SPDX-License-Identifier: Apache-2.0
 * One history: chooses the next event, and checks the final state. */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

enum { MOVES = 220, MOVES_BETWEEN_LOOKS = 60 };

/* ---- words ---- */

void tell(struct simulation *s, const char *format, ...)
{
	va_list args;
	if (!s->is_told)
		return;
	printf("%10.3f s  ", (double) (clock_now_us() % (100000 * SECOND)) / (double) SECOND);
	va_start(args, format);
	(void) vprintf(format, args);
	va_end(args);
	(void) putchar('\n');
	(void) fflush(stdout);
}

void blame(struct simulation *s, const char *format, ...)
{
	va_list args;
	printf("seed %llu: ", (unsigned long long) s->seed);
	va_start(args, format);
	(void) vprintf(format, args);
	va_end(args);
	(void) putchar('\n');
	(void) fflush(stdout);
	_exit(1);
}

/* ---- moves ---- */

/* The call that the committer ended first. */
static struct request *first_woken(struct simulation *s)
{
	struct request *first = NULL;
	for (size_t k = 0; k < CLIENTS; k++)
		if (request_is_woken(&s->clients[k]) &&
		    (!first || s->clients[k].http.wake_order < first->http.wake_order))
			first = &s->clients[k];
	return first;
}

void resume_all(struct simulation *s)
{
	for (struct request *x; (x = first_woken(s));)
		request_resume(x);
}

static void resume_one(struct simulation *s)
{
	struct request *x = first_woken(s);
	if (x)
		request_resume(x);
}

/* A call may read rows before it is queued, so the model must contain everything published when the call
 * begins. */
static void call(struct simulation *s)
{
	struct request *x = &s->clients[random_below(CLIENTS)];
	resume_all(s);
	if (x->is_open)
		return;
	*x = (struct request){.s = s, .account = (unsigned) ((size_t) (x - s->clients) % ACCOUNTS)};
	x->serial = ++s->serial;
	x->is_hand = x >= s->clients + 2 * ACCOUNTS;
	if (request_draw(x))
		request_send(x);
}

static void step(struct simulation *s)
{
	static const int64_t whiles[] = {1, 1, 100 * MILLISECOND, 2 * SECOND};
	struct cloud *c = s->region.cloud;
	int64_t until_us = clock_now_us() + whiles[random_below(4)];
	for (uint64_t n = 1 + random_below(8); n > 0; n--) {
		(void) region_step(&s->region, until_us);
		if (cloud_is_dying(c)) {
			kill_and_restart(s);
			return;
		}
	}
}

static void move(struct simulation *s)
{
	uint64_t dice = random_below(100);
	if (dice < 45)
		step(s);
	else if (dice < 80)
		call(s);
	else if (dice < 88)
		resume_one(s);
	else
		happen(s);
}

/* ---- the end ---- */

static bool has_open(struct simulation *s)
{
	for (size_t k = 0; k < CLIENTS; k++)
		if (s->clients[k].is_open)
			return true;
	return false;
}

/* Deletes volumes that Cinder accepted although nothing could hold them: they are never created. */
static void delete_unplaced(struct simulation *s)
{
	EACH (&s->model, t, KIND_VOLUME) {
		uuid id =
			t->id[0] && t->life == LIVE ? region_find(&s->region, KIND_VOLUME, t->id) : UUID_NONE;
		int status = 0;
		if (uuid_is_none(id) || !cloud_has_condition(s->region.cloud, id, "NotPlaced"))
			continue;
		struct arena *a = s->region.cloud->arena;
		struct str line =
			str_print(a, "DELETE /volume/v3/volumes/%" STR_FMT, STR_ARG(uuid_to_str(a, id)));
		(void) request_call_through(s, t->account, line, STR_NONE, &status);
		tell(s, "account %u deletes %s, which was never placed: %d", t->account, t->id, status);
		if (status != 202)
			blame(s, "%s, which was never placed, cannot be deleted: %d", t->id, status);
		model_end(&s->model, t, ENDING);
	}
}

/* A paused guest does not release a detached device, so its user resumes it. */
static void unpause_keepers(struct simulation *s)
{
	struct arena *a = s->region.cloud->arena;
	(void) cloud_step_until(s->region.cloud, cloud_is_settled, NULL, MINUTE);
	EACH (&s->model, t, KIND_INSTANCE) {
		uuid id = t->id[0] && t->life == LIVE ? region_find(&s->region, KIND_INSTANCE, t->id)
						      : UUID_NONE;
		int status = 0;
		if (!t->is_paused || uuid_is_none(id) ||
		    !cloud_has_condition(s->region.cloud, id, "KeepsDevice"))
			continue;
		struct str line = str_print(a, "POST /compute/v2.1/servers/%" STR_FMT "/action",
					    STR_ARG(uuid_to_str(a, id)));
		(void) request_call_through(s, t->account, line, STR("{\"unpause\": null}"), &status);
		tell(s, "account %u lets %s go on, which keeps a device: %d", t->account, t->id, status);
		if (status != 202)
			blame(s, "%s, which is paused, cannot go on: %d", t->id, status);
		t->is_paused = false;
		server_move(t);
	}
}

void settle_and_compare(struct simulation *s)
{
	make_whole(s);
	for (int n = 0; has_open(s) && n < 100000; n++) {
		resume_all(s);
		(void) region_step(&s->region, clock_now_us() + MINUTE);
	}
	if (has_open(s))
		blame(s, "a call is never answered");
	delete_unplaced(s);
	unpause_keepers(s);
	cloud_settle(s->region.cloud);
	listings_compare(s, true);
	contents_check(s);
	maintenance_check(s);
	fences_check(s);
	fences_check_over(s);
	errands_check(s);
	s->hosts_shaken = s->is_draining = false;
}

/* Answers must not depend on the process's memory: they must be the same after a restart. */
static void check_restart(struct simulation *s)
{
	struct str before = listings_read(s);
	region_restart(&s->region);
	struct str after = listings_read(s);
	if (!str_equal(before, after))
		blame(s, "after a restart other answers are given:\n%" STR_FMT "\n---\n%" STR_FMT,
		      STR_ARG(before), STR_ARG(after));
	cloud_settle(s->region.cloud);
	if (!str_equal(before, listings_read(s)))
		blame(s, "a restart changed what is seen");
}

/* Resources that every account has: EC2's default VPC, Neutron's default group. */
static void add_defaults(struct simulation *s, unsigned account)
{
	struct cloud *c = s->region.cloud;
	struct security_group_wish wish = {0};
	cloud_ok(c, &s->region.users[account].who, engine_ensure_default_group, &wish);
	model_add_group(&s->model, account, NULL, STR("default"), uuid_to_str(c->arena, wish.group));
	model_add_vpc(&s->model, account, (struct cidr){ip_from_v4(0xAC1F0000), 16}, true);
}

void history_run(struct simulation *s)
{
	s->region.deploys = true;
	region_open(&s->region, s->seed);
	request_draw_theme(s);
	for (unsigned account = 0; account < ACCOUNTS; account++)
		add_defaults(s, account);
	for (int n = 0; n < ACCOUNTS; n++)
		policies_change(s);
	listings_compare(s, true);
	for (int n = 1; n <= MOVES; n++) {
		move(s);
		fences_check(s);
		if (n % MOVES_BETWEEN_LOOKS == 0) {
			resume_all(s);
			listings_compare(s, false);
		}
	}
	settle_and_compare(s);
	cloud_check(s->region.cloud); /* before a restart, which looks at everything again */
	check_restart(s);
	listings_compare(s, true);
	bills_check(s);
	region_kill(&s->region);
	cloud_free(s->region.cloud);
}
