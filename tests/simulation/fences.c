/* SPDX-License-Identifier: Apache-2.0
 * Dead and disconnected hosts: powered off by fence commands, which may fail, or by hand with an operator's
 * confirmation, and powered on at any time. No guest may ever run twice. In addition a controlled run: a
 * guest with a rebuilt root disk must run elsewhere, and all others must come back. */
#include "base/clock.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "engine/region/fence.h"
#include "simulation.h"
#include "store/condition.h"
#include "store/fence.h"
#include "store/host.h"

static const struct str names[HOSTS] = {{"h0", 2}, {"h1", 2}, {"h2", 2}};

static struct ref ref_of(struct str host)
{
	return (struct ref){.kind = KIND_HOST, .text = host};
}

void fences_check(struct simulation *s)
{
	if (sim_compute_count_doubles())
		blame(s, "something runs on two hosts");
}

static void set_device(struct simulation *s, struct str host)
{
	struct fence_device_wish wish = {
		.host = ref_of(host), .command = STR("/usr/sbin/fence_simulated"), .after_s = 30};
	if (!result_is_ok(cloud_call(s->region.cloud, NULL, engine_set_fence_device_run, &wish)))
		blame(s, "an operator's fence device is refused");
}

/* Confirms only what is true: a false confirmation would let a running guest's disks be destroyed. */
static bool vouch(struct simulation *s, struct str host)
{
	struct fence_word wish = {.host = ref_of(host), .who = STR("kim")};
	return result_is_ok(cloud_call(s->region.cloud, NULL, engine_vouch_fence_run, &wish));
}

/* ---- at random ---- */

void shake_power(struct simulation *s)
{
	struct str host = names[random_below(HOSTS)];
	uint64_t dice = random_below(7);
	if (s->is_doomed || s->region.faults)
		return;
	tell(s, "host %" STR_FMT ": %s", STR_ARG(host),
	     (const char *[]){"gets a fence command", "its fence command is broken",
			      "its fence command is mended", "is cut off", "is without power",
			      "is seen to be without power, if it is", "has power, and is reached"}[dice]);
	request_mark_open(s);
	s->hosts_shaken = true;
	switch (dice) {
	case 0:
		set_device(s, host);
		break;
	case 1:
		sim_compute_break_fence(host, true);
		break;
	case 2:
		sim_compute_break_fence(host, false);
		break;
	case 3:
		sim_compute_cut_off(host, true);
		break;
	case 4:
		sim_compute_cut_power(host);
		break;
	case 5:
		if (!sim_compute_has_power(host))
			(void) vouch(s, host); /* refused unless the failure was noticed */
		break;
	default:
		sim_compute_give_power(host);
		break;
	}
}

/* Hosts without power come back with another boot ID. */
void fences_end_all(struct simulation *s)
{
	(void) s;
	for (size_t k = 0; k < HOSTS; k++) {
		sim_compute_break_fence(names[k], false);
		sim_compute_give_power(names[k]);
	}
}

/* Requires healthy hosts and no pending work. */
void fences_check_over(struct simulation *s)
{
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	for (const struct fence *f = fence_first(view.tables); f; f = fence_next(view.tables, f))
		if (!f->ended_us)
			blame(s, "a fence is %s and not over when all hosts are well",
			      fence_stage_words[f->stage]);
	for (const struct condition *c = condition_first(view.tables); c; c = condition_next(view.tables, c))
		if (str_is(c->name, WAITS_FOR_HOST) || str_starts_with(c->name, STR("Fenc")))
			blame(s, "the condition %" STR_FMT " holds when all hosts are well",
			      STR_ARG(c->name));
}

/* ---- controlled run ---- */

static void step_some(struct simulation *s, uint64_t steps)
{
	for (uint64_t n = 0; n < steps && region_step(&s->region, clock_now_us() + MINUTE); n++)
		fences_check(s);
}

static bool is_fenced(struct cloud *c, const void *host)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct host *h = host_find_by_name(view.tables, *(const struct str *) host);
	return engine_is_host_off(view.tables, h->row.id);
}

static void turn_off(struct simulation *s, struct str host, bool by_hand)
{
	struct cloud *c = s->region.cloud;
	if (!by_hand)
		set_device(s, host);
	if (by_hand)
		sim_compute_cut_power(host);
	else
		sim_compute_cut_off(host, true);
	for (int n = 0; by_hand && n < 1000 && !vouch(s, host); n++)
		step_some(s, 5);
	if (!cloud_step_until(c, is_fenced, &host, 30 * MINUTE))
		blame(s, "host %" STR_FMT " is not fenced", STR_ARG(host));
}

/* A root disk is rebuilt elsewhere, whenever its host comes back and the process dies. */
void fence_in_peace(struct simulation *s)
{
	settle_and_compare(s);
	struct cloud *c = s->region.cloud;
	uuid id = cloud_launch_running(c);
	struct str host = str_copy(c->arena, cloud_host_of(c, id));
	bool by_hand = random_below(2);
	tell(s, "in peace host %" STR_FMT " is %s", STR_ARG(host),
	     by_hand ? "without power" : "cut off, and its fence command works");
	s->hosts_shaken = true;
	turn_off(s, host, by_hand);
	struct instance_evacuation wish = {.instance = cloud_ref(c, KIND_INSTANCE, id), .rebuilds = true};
	struct result left = cloud_call(c, NULL, engine_evacuate_instance_run, &wish);
	tell(s, "its guest is evacuated: %s", err_name(left.code));
	step_some(s, random_below(80));
	if (random_below(2))
		kill_and_restart(s);
	step_some(s, random_below(80));
	sim_compute_give_power(host);
	step_some(s, random_below(80));
	if (random_below(2))
		kill_and_restart(s);
	make_whole(s);
	cloud_await(c, id, INSTANCE_RUNNING);
	if (result_is_ok(left) == str_equal(cloud_host_of(c, id), host))
		blame(s, "the guest is on host %" STR_FMT, STR_ARG(cloud_host_of(c, id)));
	fences_check(s);
	cloud_terminate(c, id);
	cloud_await(c, id, INSTANCE_TERMINATED);
	settle_and_compare(s);
}
