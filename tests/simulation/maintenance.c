/* SPDX-License-Identifier: Apache-2.0
 * Maintenances of hosts: planned, begun and ended at random, after which nothing of them may remain. In
 * addition a controlled run, in which it is certain which instances have an event, are stopped by it, and are
 * started again. */
#include "base/clock.h"
#include "engine/instance/instance_event.h"
#include "simulation.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_event.h"

static const struct str names[HOSTS] = {{"h0", 2}, {"h1", 2}, {"h2", 2}};

static bool is_there(struct simulation *s, const struct thing *instance, struct str host)
{
	uuid id = region_find(&s->region, KIND_INSTANCE, instance->id);
	return instance->life == LIVE && str_equal(cloud_host_of(s->region.cloud, id), host);
}

static struct result plan(struct simulation *s, struct str host, enum host_maintenance_kind kind,
			  int64_t from_us, int64_t end_us)
{
	struct maintenance_wish wish = {.host = {.kind = KIND_HOST, .text = host},
					.from_us = from_us,
					.deadline_us = from_us,
					.end_us = end_us,
					.kind = kind};
	return cloud_call(s->region.cloud, NULL, engine_plan_maintenance_run, &wish);
}

static struct result end(struct simulation *s, struct str host)
{
	struct maintenance_target over = {.host = {.kind = KIND_HOST, .text = host}};
	return cloud_call(s->region.cloud, NULL, engine_end_maintenance_run, &over);
}

/* ---- at random ---- */

/* Marks instances launched there before: afterwards nothing more is placed there. */
static void mark_drained(struct simulation *s, struct str host)
{
	s->is_draining = true;
	resume_all(s);
	EACH (&s->model, t, KIND_INSTANCE) {
		if (!is_there(s, t, host))
			continue;
		t->is_drained = t->may_vary = true;
		server_move(t);
	}
}

/* Instances that ran there must come back at the end, or stay stopped. Skipped if the next commit ends the
 * process. */
void maintain_host(struct simulation *s)
{
	static const int64_t from[] = {0, 10 * SECOND, 10 * MINUTE};
	static const int64_t lasts[] = {0, 30 * SECOND, 5 * MINUTE};
	int64_t from_us = clock_now_us() + from[random_below(3)], lasts_us = lasts[random_below(3)];
	struct str host = names[random_below(HOSTS)];
	bool ends = random_below(2) == 0, stops = random_below(3) == 0;
	enum host_maintenance_kind kind = stops ? HOST_MAINTENANCE_KIND_STOP : HOST_MAINTENANCE_KIND_REBOOT;
	if (s->is_doomed || s->region.faults)
		return;
	request_mark_open(s);
	tell(s, "host %" STR_FMT ": a maintenance %s", STR_ARG(host),
	     ends    ? "ends"
	     : stops ? "that stops what is there is planned"
		     : "is planned");
	s->hosts_shaken = true;
	struct result result =
		ends ? end(s, host) : plan(s, host, kind, from_us, lasts_us ? from_us + lasts_us : 0);
	if (!result_is_ok(result) && !(ends && result.code == ERR_STATE))
		blame(s, "an operator's maintenance is refused");
	if (stops && !ends)
		mark_drained(s, host);
}

void maintenance_end_all(struct simulation *s)
{
	for (size_t k = 0; k < HOSTS; k++) {
		struct result result = end(s, names[k]);
		if (!result_is_ok(result) && result.code != ERR_STATE)
			blame(s, "a maintenance does not end");
	}
}

void maintenance_check(struct simulation *s)
{
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h))
		if (h->maintenance_us)
			blame(s, "host %" STR_FMT " has a maintenance still", STR_ARG(h->name));
	for (const struct instance_event *e = instance_event_first(view.tables); e;
	     e = instance_event_next(view.tables, e)) {
		bool is_over = e->stage == INSTANCE_EVENT_STAGE_COMPLETED ||
			       e->stage == INSTANCE_EVENT_STAGE_CANCELED;
		if (!is_over || !e->ended_us)
			blame(s, "an event is %s when no host has a maintenance",
			      instance_event_stage_words[e->stage]);
	}
	for (const struct instance *i = instance_first(view.tables); i; i = instance_next(view.tables, i))
		if (condition_find_by_subject(view.tables, i->row.id, STR("Maintenance")))
			blame(s, "an instance is told to be off for no maintenance");
}

/* ---- controlled run ---- */

/* Stage of the instance's event; SCHEDULED and BEGUN are not finished. */
static bool has_event(struct simulation *s, const struct thing *t, enum instance_event_stage *ret_stage)
{
	uuid id = region_find(&s->region, KIND_INSTANCE, t->id);
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	const struct instance_event *e = engine_find_event(view.tables, id);
	*ret_stage = e ? e->stage : INSTANCE_EVENT_STAGE_SCHEDULED;
	return e && e->ended_us == 0;
}

/* Exactly the instances that are wanted to run there must have an unfinished event. */
static void check_events(struct simulation *s, struct str host, enum instance_event_stage awaited)
{
	EACH (&s->model, t, KIND_INSTANCE) {
		enum instance_event_stage stage;
		bool is_open = has_event(s, t, &stage), wants_one = t->wanted_on && is_there(s, t, host);
		if (is_open != wants_one)
			blame(s, "%s %s an event", t->id, wants_one ? "lacks" : "has");
		if (is_open && stage != awaited)
			blame(s, "the event of %s is %s", t->id, instance_event_stage_words[stage]);
	}
}

/* During the maintenance no guest may run there, and all others must. */
static void check_guests(struct simulation *s, struct str host)
{
	EACH (&s->model, t, KIND_INSTANCE) {
		uuid id = region_find(&s->region, KIND_INSTANCE, t->id);
		bool is_on = cloud_guest(s->region.cloud, id).is_on;
		if (t->life == LIVE && is_on != (t->wanted_on && !is_there(s, t, host)))
			blame(s, "%s is %s while %" STR_FMT " has a maintenance", t->id, is_on ? "on" : "off",
			      STR_ARG(host));
	}
}

static void learn_stops(struct simulation *s, struct str host)
{
	EACH (&s->model, t, KIND_INSTANCE) {
		if (!t->wanted_on || !is_there(s, t, host))
			continue;
		t->wanted_on = t->is_paused = t->is_saved = false;
		server_move(t);
	}
}

/* No calls may be sent while guests are migrating: the model does not know which of them are. */
void maintain_by_moving(struct simulation *s)
{
	struct str host = names[random_below(HOSTS)];
	uint64_t steps = random_below(200);
	settle_and_compare(s);
	tell(s, "host %" STR_FMT " has a maintenance that moves what is there", STR_ARG(host));
	s->hosts_shaken = true; /* instances that cannot migrate are off until the end */
	if (!result_is_ok(plan(s, host, HOST_MAINTENANCE_KIND_MOVE, clock_now_us(), 0)))
		blame(s, "an operator's maintenance is refused");
	for (uint64_t n = 0; n < steps && region_step(&s->region, clock_now_us() + MINUTE); n++)
		;
	if (random_below(2))
		kill_and_restart(s);
	cloud_settle(s->region.cloud);
	struct result result = end(s, host);
	if (!result_is_ok(result))
		blame(s, "the end of an operator's maintenance is refused: %s", err_name(result.code));
	settle_and_compare(s);
}

void maintain_in_peace(struct simulation *s)
{
	struct str host = names[random_below(HOSTS)];
	bool stops = random_below(2) == 0;
	enum host_maintenance_kind kind = stops ? HOST_MAINTENANCE_KIND_STOP : HOST_MAINTENANCE_KIND_REBOOT;
	settle_and_compare(s);
	tell(s, "in peace host %" STR_FMT " has a maintenance%s", STR_ARG(host),
	     stops ? " that stops what is there" : "");
	if (!result_is_ok(plan(s, host, kind, clock_now_us() + MINUTE, 0)))
		blame(s, "an operator's maintenance is refused");
	check_events(s, host, INSTANCE_EVENT_STAGE_SCHEDULED);
	cloud_step_for(s->region.cloud, 2 * MINUTE);
	cloud_settle(s->region.cloud);
	if (stops)
		learn_stops(s, host);
	check_events(s, host, INSTANCE_EVENT_STAGE_BEGUN);
	check_guests(s, host);
	settle_and_compare(s);
}
