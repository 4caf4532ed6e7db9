/* SPDX-License-Identifier: Apache-2.0
 * Two hosts and the one guest: calls take a while, or are lost. A host refuses to start the guest while the other one locks its disk. */
#include <stdlib.h>

#include "base/clock.h"
#include "database.h"
#include "fiber.h"
#include "history.h"

/* Calls are short in histories that step the database's clock, or lose renewals: the former writer has up to
 * LEASE_TTL_MS - LEASE_MARGIN_MS left then when the lease is taken. */
static const int64_t CALL_MAX_US = 2950 * MILLISECOND, SHORT_MAX_US = 950 * MILLISECOND,
		     LATE_MAX_US = 20 * SECOND;

struct call {
	int process, host;
	int64_t take;
	enum call_kind kind;
	bool is_lost, is_over;
	struct call *next;
};

static bool runs[HOSTS], is_cut[HOSTS], is_off[HOSTS], are_late, are_well;
static int64_t acted_take;
static struct call *calls;

void hosts_open(bool runs_first, bool calls_are_late)
{
	runs[0] = runs_first;
	are_late = calls_are_late;
}

void hosts_heal(void)
{
	are_well = true;
}

bool host_runs(int host)
{
	return runs[host];
}

bool host_is_cut(int host)
{
	return is_cut[host];
}

bool host_is_off(int host)
{
	return is_off[host];
}

void host_cut(int host)
{
	if (is_cut[host])
		return;
	tell("host %d is cut off", host);
	is_cut[host] = true;
	steps_add(STEP_CUT, host, 0);
}

void host_mend(int host)
{
	if (!is_cut[host])
		return;
	tell("host %d is back", host);
	is_cut[host] = is_off[host] = false;
	steps_add(STEP_MEND, host, 0);
}

static void end_call(struct call *call)
{
	call->is_over = true;
	fiber_wake(call);
}

/* A host that loses power ends the connections to it. */
static void lose_calls(int host)
{
	for (struct call *c = calls; c; c = c->next)
		if (!c->is_over && c->host == host && c->kind != CALL_OFF)
			end_call(c);
}

/* Calls of two writers must not be under way at once, and come in the writers' order. If a fail-over loses a take-over, the writer
 * of before may go on. */
static void check_order(const struct call *c)
{
	if (theme == THEME_FORK) {
		for (const struct call *other = calls; other; other = other->next)
			if (!other->is_over && other->process != c->process)
				blame("processes %d and %d call hosts at the same time", c->process,
				      other->process);
	} else if (!are_late && c->take < acted_take) {
		blame("host %d gets a call of process %d after one of a later writer", c->host, c->process);
	}
	acted_take = c->take > acted_take ? c->take : acted_take;
}

static void carry_out(void *arg)
{
	struct call *c = arg;
	static const char *const words[] = {"starts", "stops", "powers off"};
	if (c->is_over)
		return;
	steps_add(c->is_lost ? STEP_CALL_LOSE : STEP_CARRY_OUT, c->process, 0);
	if (c->is_lost) {
		end_call(c);
		return;
	}
	tell("process %d %s at host %d", c->process, words[c->kind], c->host);
	check_order(c);
	end_call(c);
	int other = 1 - c->host;
	/* Ceph's locks outlive a cut host; others end with its connection, and only calls in time are safe then */
	bool is_locked = runs[other] && (are_late || !is_cut[other]) && left_out != WITHOUT_LOCK;
	if (c->kind == CALL_OFF) {
		runs[c->host] = false;
		is_off[c->host] = true;
		lose_calls(c->host);
	} else if (c->kind == CALL_STOP && !is_cut[c->host]) {
		runs[c->host] = false;
	} else if (c->kind == CALL_START && !is_cut[c->host] && !is_off[c->host] && !is_locked) {
		runs[c->host] = true;
	}
	if (runs[0] && runs[1])
		blame("the guest runs on both hosts");
}

void host_call(int process, int64_t take, enum call_kind kind, int host)
{
	struct call *c = calloc(1, sizeof *c);
	if (!c)
		abort();
	*c = (struct call){.process = process,
			   .host = host,
			   .take = take,
			   .kind = kind,
			   .is_lost = !are_well && chance(theme == THEME_HOSTS ? 35 : 10),
			   .next = calls};
	calls = c;
	int64_t most_us = are_late                                      ? LATE_MAX_US
			  : theme == THEME_CLOCK || theme == THEME_FORK ? SHORT_MAX_US
									: CALL_MAX_US;
	/* The margin matters if the former writer's last call takes the longest time, and the next one's first call is short. */
	bool is_last = left_out == WITHOUT_MARGIN &&
		       network_is_cut_until(fiber_self_group()->machine) > sim_now_us();
	bool is_short = are_well || (!is_last && chance(50));
	bool is_long = is_last || chance(50);
	int64_t takes_us = is_short ? between(MILLISECOND, 100 * MILLISECOND)
				    : between(is_long ? most_us * 99 / 100 : 0, most_us);
	event_at(sim_now_us() + takes_us, carry_out, c);
	while (!c->is_over)
		(void) fiber_wait(c, INT64_MAX);
}
