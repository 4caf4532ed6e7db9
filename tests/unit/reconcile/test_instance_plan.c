/* SPDX-License-Identifier: Apache-2.0
 * The plan for an instance, as a table of the wish, the host's state and the reported state. Then rules that
 * must hold for all combinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/instance.h"
#include "reconcile/instance/instance_plan.h"

enum { NOW_S = 1000, GRACE_S = 60 };
enum { ABSENT = INSTANCE_SEEN_POWER_ABSENT, OFF = INSTANCE_SEEN_POWER_OFF, ON = INSTANCE_SEEN_POWER_ON };

struct plan_case {
	const char *name;
	bool deleted, wants_on;
	int row_seen;      /* power by the row */
	bool is_reached;   /* seen_gen is the row's gen */
	int there;         /* power on the host */
	bool is_as_wished; /* its definition */
	bool lacks_disks, force, patience_over, wants_boot, backs_off, quiesced, hotplugs, unreported;
	bool lacks_room, lacked_it_long;           /* QEMU holds it */
	bool wants_pause, paused, reported_paused; /* wished, found, known to the row */
	bool wants_save, saved, reported_saved;
	bool cold;        /* the reboot */
	bool leaves_host; /* its host, when it is off */
	enum instance_step step;
};

static const struct plan_case cases[] = {
	/* launch */
	{"new, disks on their way", .wants_on = true, .row_seen = ABSENT, .there = ABSENT,
	 .lacks_disks = true, .step = INSTANCE_WAIT_DISKS},
	{"new, disks there", .wants_on = true, .row_seen = ABSENT, .there = ABSENT, .step = INSTANCE_START},
	{"defined", .wants_on = true, .row_seen = ABSENT, .there = OFF, .is_as_wished = true,
	 .step = INSTANCE_START},
	{"defined otherwise", .wants_on = true, .row_seen = ABSENT, .there = OFF, .step = INSTANCE_START},
	{"started, not told", .wants_on = true, .row_seen = ABSENT, .there = ON, .is_as_wished = true,
	 .step = INSTANCE_REPORT},
	{"runs, told", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .is_as_wished = true, .step = INSTANCE_SETTLED},
	{"runs, told by an older gen", .wants_on = true, .row_seen = ON, .there = ON, .is_as_wished = true,
	 .step = INSTANCE_REPORT},
	{"runs, defined otherwise: at its next start", .wants_on = true, .row_seen = ON, .is_reached = true,
	 .there = ON, .step = INSTANCE_SETTLED},
	{"runs though a disk is missing", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .is_as_wished = true, .lacks_disks = true, .step = INSTANCE_SETTLED},
	{"QEMU holds it", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .is_as_wished = true, .lacks_room = true, .step = INSTANCE_IO_PAUSED},
	{"that, for a while", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .is_as_wished = true, .lacks_room = true, .lacked_it_long = true, .step = INSTANCE_RESUME},
	{"that, not told to run", .wants_on = true, .row_seen = ON, .there = ON, .is_as_wished = true,
	 .lacks_room = true, .lacked_it_long = true, .step = INSTANCE_REPORT},
	{"that, and to be off", .row_seen = ON, .there = ON, .is_as_wished = true, .lacks_room = true,
	 .lacked_it_long = true, .step = INSTANCE_SHUTDOWN},
	{"that, and a reboot", .wants_on = true, .row_seen = ON, .there = ON, .is_as_wished = true,
	 .lacks_room = true, .lacked_it_long = true, .wants_boot = true, .patience_over = true,
	 .step = INSTANCE_RESET},
	/* disks and NICs */
	{"runs, a device is to come or go", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .hotplugs = true, .step = INSTANCE_PLUG},
	{"that, done, not told", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .is_as_wished = true, .unreported = true, .step = INSTANCE_REPORT},
	{"a reboot goes before", .wants_on = true, .row_seen = ON, .there = ON, .hotplugs = true,
	 .wants_boot = true, .step = INSTANCE_REBOOT},
	{"off, a device is to come or go", .row_seen = OFF, .is_reached = true, .there = OFF,
	 .hotplugs = true, .step = INSTANCE_DEFINE},
	{"that, done, not told", .row_seen = OFF, .is_reached = true, .there = OFF, .is_as_wished = true,
	 .unreported = true, .step = INSTANCE_REPORT},
	{"to be off, a device is to come or go", .row_seen = ON, .there = ON, .hotplugs = true,
	 .step = INSTANCE_SHUTDOWN},
	/* quiesced for a snapshot */
	{"held off, runs", .wants_on = true, .quiesced = true, .row_seen = ON, .is_reached = true,
	 .there = ON, .is_as_wished = true, .step = INSTANCE_SHUTDOWN},
	{"held off, is off, not told", .wants_on = true, .quiesced = true, .row_seen = ON, .is_reached = true,
	 .there = OFF, .is_as_wished = true, .step = INSTANCE_REPORT},
	{"held off, told", .wants_on = true, .quiesced = true, .row_seen = OFF, .is_reached = true,
	 .there = OFF, .is_as_wished = true, .step = INSTANCE_SETTLED},
	/* shelved */
	{"to be off and gone, runs", .row_seen = ON, .there = ON, .leaves_host = true,
	 .step = INSTANCE_SHUTDOWN},
	{"that, off, not told", .row_seen = ON, .there = OFF, .leaves_host = true, .step = INSTANCE_REPORT},
	{"that, told", .row_seen = OFF, .is_reached = true, .there = OFF, .leaves_host = true,
	 .hotplugs = true, .step = INSTANCE_UNDEFINE},
	{"that, gone, not told", .row_seen = OFF, .is_reached = true, .there = ABSENT, .leaves_host = true,
	 .step = INSTANCE_REPORT},
	{"that, gone, told", .row_seen = ABSENT, .is_reached = true, .there = ABSENT, .leaves_host = true,
	 .step = INSTANCE_LEAVE},
	/* off by itself */
	{"went off", .wants_on = true, .row_seen = ON, .is_reached = true, .there = OFF, .is_as_wished = true,
	 .step = INSTANCE_REPORT},
	{"went off, a disk is missing", .wants_on = true, .row_seen = ON, .is_reached = true, .there = OFF,
	 .is_as_wished = true, .lacks_disks = true, .step = INSTANCE_REPORT},
	{"went off and was told", .wants_on = true, .row_seen = OFF, .is_reached = true, .there = OFF,
	 .is_as_wished = true, .step = INSTANCE_START},
	{"went off again", .wants_on = true, .row_seen = OFF, .is_reached = true, .there = OFF,
	 .is_as_wished = true, .backs_off = true, .step = INSTANCE_BACK_OFF},
	{"went off again, defined otherwise", .wants_on = true, .row_seen = OFF, .is_reached = true,
	 .there = OFF, .backs_off = true, .step = INSTANCE_BACK_OFF},
	{"went away", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ABSENT,
	 .step = INSTANCE_REPORT},
	{"went away and was told", .wants_on = true, .row_seen = ABSENT, .is_reached = true, .there = ABSENT,
	 .step = INSTANCE_START},
	{"off under a new wish", .wants_on = true, .row_seen = ON, .there = OFF, .is_as_wished = true,
	 .step = INSTANCE_START},
	/* reboot */
	{"reboot", .wants_on = true, .row_seen = ON, .there = ON, .is_as_wished = true, .wants_boot = true,
	 .step = INSTANCE_REBOOT},
	{"reboot, and the guest does not", .wants_on = true, .row_seen = ON, .there = ON,
	 .is_as_wished = true, .wants_boot = true, .patience_over = true, .step = INSTANCE_RESET},
	{"reboot, and the guest is off", .wants_on = true, .row_seen = ON, .there = OFF, .is_as_wished = true,
	 .wants_boot = true, .step = INSTANCE_START},
	{"reboot asked before its start was told", .wants_on = true, .row_seen = ABSENT, .there = ON,
	 .is_as_wished = true, .wants_boot = true, .step = INSTANCE_REPORT},
	{"reboot of one that is off", .wants_on = true, .row_seen = OFF, .there = OFF, .is_as_wished = true,
	 .wants_boot = true, .step = INSTANCE_START},
	{"cold reboot, and the guest does not", .wants_on = true, .row_seen = ON, .there = ON,
	 .wants_boot = true, .patience_over = true, .cold = true, .step = INSTANCE_FORCE_OFF},
	/* pause */
	{"to be paused", .wants_on = true, .row_seen = ON, .there = ON, .wants_pause = true,
	 .step = INSTANCE_PAUSE},
	{"paused, not told", .wants_on = true, .row_seen = ON, .there = ON, .wants_pause = true,
	 .paused = true, .step = INSTANCE_REPORT},
	{"paused, told", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .wants_pause = true, .paused = true, .reported_paused = true, .step = INSTANCE_SETTLED},
	{"to go on", .wants_on = true, .row_seen = ON, .there = ON, .paused = true, .reported_paused = true,
	 .step = INSTANCE_UNPAUSE},
	{"paused by somebody", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .paused = true, .step = INSTANCE_UNPAUSE},
	{"a reboot of one that is paused", .wants_on = true, .row_seen = ON, .there = ON, .paused = true,
	 .reported_paused = true, .wants_boot = true, .step = INSTANCE_UNPAUSE},
	{"to be paused, and QEMU holds it", .wants_on = true, .row_seen = ON, .is_reached = true, .there = ON,
	 .wants_pause = true, .lacks_room = true, .step = INSTANCE_IO_PAUSED},
	{"to be off, hears nothing", .row_seen = ON, .there = ON, .paused = true, .reported_paused = true,
	 .step = INSTANCE_UNPAUSE},
	{"that, by force", .row_seen = ON, .there = ON, .paused = true, .reported_paused = true,
	 .force = true, .step = INSTANCE_FORCE_OFF},
	/* suspend */
	{"to be suspended", .row_seen = ON, .there = ON, .wants_save = true, .step = INSTANCE_SAVE},
	{"to be suspended, however long it takes", .row_seen = ON, .there = ON, .wants_save = true,
	 .patience_over = true, .step = INSTANCE_SAVE},
	{"suspended, not told", .row_seen = ON, .there = OFF, .wants_save = true, .saved = true,
	 .step = INSTANCE_REPORT},
	{"suspended, told", .row_seen = OFF, .is_reached = true, .there = OFF, .wants_save = true,
	 .saved = true, .reported_saved = true, .step = INSTANCE_SETTLED},
	{"suspended, to go on", .wants_on = true, .row_seen = OFF, .there = OFF, .saved = true,
	 .reported_saved = true, .step = INSTANCE_START},
	/* stop */
	{"asked to stop", .row_seen = ON, .there = ON, .is_as_wished = true, .step = INSTANCE_SHUTDOWN},
	{"asked too long", .row_seen = ON, .there = ON, .is_as_wished = true, .patience_over = true,
	 .step = INSTANCE_FORCE_OFF},
	{"by force", .row_seen = ON, .there = ON, .is_as_wished = true, .force = true,
	 .step = INSTANCE_FORCE_OFF},
	{"off, not told", .row_seen = ON, .there = OFF, .is_as_wished = true, .step = INSTANCE_REPORT},
	{"off, told", .row_seen = OFF, .is_reached = true, .there = OFF, .is_as_wished = true,
	 .step = INSTANCE_SETTLED},
	{"off, defined otherwise: at its next start", .row_seen = OFF, .is_reached = true, .there = OFF,
	 .step = INSTANCE_SETTLED},
	{"stopped before it was made", .row_seen = ABSENT, .there = ABSENT, .step = INSTANCE_REPORT},
	{"that, told", .row_seen = ABSENT, .is_reached = true, .there = ABSENT, .step = INSTANCE_SETTLED},
	{"started by somebody", .row_seen = OFF, .is_reached = true, .there = ON, .is_as_wished = true,
	 .patience_over = true, .step = INSTANCE_FORCE_OFF},
	/* the end */
	{"terminate, on", .deleted = true, .row_seen = ON, .there = ON, .is_as_wished = true,
	 .step = INSTANCE_FORCE_OFF},
	{"terminate, on, wanted on", .deleted = true, .wants_on = true, .row_seen = ON, .there = ON,
	 .step = INSTANCE_FORCE_OFF},
	{"terminate, off", .deleted = true, .row_seen = ON, .there = OFF, .step = INSTANCE_UNDEFINE},
	{"terminate, gone", .deleted = true, .row_seen = ON, .there = ABSENT, .step = INSTANCE_REPORT},
	{"terminate, never there", .deleted = true, .row_seen = ABSENT, .there = ABSENT,
	 .step = INSTANCE_REPORT},
	{"ended", .deleted = true, .row_seen = ABSENT, .is_reached = true, .there = ABSENT,
	 .step = INSTANCE_SETTLED},
};

static int64_t since_us_of(const struct plan_case *p)
{
	return (p->patience_over ? NOW_S - GRACE_S : NOW_S - GRACE_S + 1) * SECOND;
}

static struct instance row_of(const struct plan_case *p)
{
	return (struct instance){
		.row = {.gen = 7, .deleted_us = p->deleted ? NOW_S * SECOND : 0},
		.wanted_power = p->wants_on ? INSTANCE_WANTED_POWER_ON : INSTANCE_WANTED_POWER_OFF,
		.force_off = p->force,
		.off_since_us = since_us_of(p),
		.reboot_since_us = since_us_of(p),
		.wanted_boots = p->wants_boot ? 3 : 2,
		.wanted_pause = p->wants_pause,
		.wanted_save = p->wants_save,
		.cold_boot = p->cold,
		.seen_paused = p->reported_paused,
		.seen_saved = p->reported_saved,
		.seen_boots = 2,
		.seen_power = (enum instance_seen_power) p->row_seen,
		.seen_gen = p->is_reached ? 7 : 6,
	};
}

static struct instance_plan_input input_of(const struct plan_case *p)
{
	return (struct instance_plan_input){
		.power_wanted =
			p->wants_on && !p->quiesced ? INSTANCE_WANTED_POWER_ON : INSTANCE_WANTED_POWER_OFF,
		.seen = {.power = (enum instance_seen_power) p->there,
			 .off = COMPUTE_OFF_CRASHED,
			 .is_io_paused = p->lacks_room,
			 .is_paused = p->paused && !p->lacks_room && p->there == ON,
			 .is_saved = p->saved && p->there == OFF,
			 .defined_as_wished = p->is_as_wished,
			 .devices_as_wished = !p->hotplugs && p->there != ABSENT},
		.devices_reported = !p->unreported,
		.leaves_host = p->leaves_host,
		.disks_ready = !p->lacks_disks,
		.now_us = NOW_S * SECOND,
		.grace_us = GRACE_S * SECOND,
		.resume_us = p->lacked_it_long ? NOW_S * SECOND : NOW_S * SECOND + 1,
		.restart_us = p->backs_off ? NOW_S * SECOND + 1 : NOW_S * SECOND,
	};
}

static enum instance_step step_of(const struct plan_case *p)
{
	struct instance row = row_of(p);
	struct instance_plan_input input = input_of(p);
	return instance_plan_step(&row, &input);
}

static void test_cases(void **state)
{
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
		if (step_of(&cases[k]) != cases[k].step)
			fail_msg("%s: step %d, not %d", cases[k].name, (int) step_of(&cases[k]),
				 (int) cases[k].step);
}

/* ---- every combination ---- */

static void each_combination(void (*check)(const struct plan_case *p))
{
	for (unsigned n = 0; n < 3 * 3 * (1U << 18); n++) {
		unsigned bits = n / 9;
		bool wants_on = bits & 2;
		struct plan_case p = {
			.row_seen = (int) (n % 3),
			.there = (int) (n / 3 % 3),
			.deleted = bits & 1,
			.wants_on = wants_on,
			.is_reached = bits & 4,
			.is_as_wished = bits & 8,
			.lacks_disks = bits & 16,
			.force = bits & 32,
			.patience_over = bits & 64,
			.wants_boot = bits & 128,
			.backs_off = bits & 256,
			.quiesced = bits & 512,
			.hotplugs = bits & 1024,
			.unreported = bits & 2048,
			.lacks_room = bits & 4096,
			.lacked_it_long = bits & 8192,
			/* the bits' meaning depends on whether the instance is wanted on */
			.wants_pause = wants_on && bits & 1U << 14,
			.paused = bits & 1U << 15,
			.reported_paused = bits & 1U << 16,
			.cold = wants_on && bits & 1U << 17,
			.leaves_host = !wants_on && bits & 1U << 17,
			.wants_save = !wants_on && bits & 1U << 14,
			.saved = bits & 1U << 15,
			.reported_saved = bits & 1U << 16,
		};
		check(&p);
	}
}

/* A running guest is changed only to power it off, remove it, reboot it, or plug and unplug devices. */
static void check_running(const struct plan_case *p)
{
	enum instance_step step = step_of(p);
	if (p->there != ON || p->deleted || !p->wants_on || p->quiesced)
		return;
	assert_true(step == INSTANCE_SETTLED || step == INSTANCE_REPORT ||
		    (step == INSTANCE_PLUG && p->hotplugs) ||
		    ((step == INSTANCE_IO_PAUSED || step == INSTANCE_RESUME) && p->lacks_room) ||
		    ((step == INSTANCE_REBOOT || step == INSTANCE_RESET) && p->wants_boot) ||
		    (step == INSTANCE_FORCE_OFF && p->wants_boot && p->cold && p->patience_over) ||
		    (step == INSTANCE_PAUSE && p->wants_pause) ||
		    (step == INSTANCE_UNPAUSE && p->paused && !p->wants_pause));
}

/* A guest is undefined only if its row is deleted or it leaves its host, and never while it runs. A deleted
 * one is never started. */
static void check_deletion(const struct plan_case *p)
{
	enum instance_step step = step_of(p);
	if (step == INSTANCE_UNDEFINE)
		assert_true((p->deleted || (p->leaves_host && p->is_reached)) && p->there == OFF);
	if (p->deleted)
		assert_true(step != INSTANCE_DEFINE && step != INSTANCE_START && step != INSTANCE_RESET &&
			    step != INSTANCE_SHUTDOWN && step != INSTANCE_PLUG && step != INSTANCE_REBOOT &&
			    step != INSTANCE_PAUSE && step != INSTANCE_UNPAUSE && step != INSTANCE_SAVE);
	if (step == INSTANCE_START)
		assert_true(p->there != ON && !p->lacks_disks && p->wants_on && !p->quiesced);
}

/* Settled means: nothing is left to bring about, nor to tell. */
static void check_settled(const struct plan_case *p)
{
	if (step_of(p) != INSTANCE_SETTLED)
		return;
	assert_int_equal(p->there, p->row_seen);
	assert_true(p->is_reached);
	if (p->deleted)
		assert_int_equal(p->there, ABSENT);
	else
		assert_true((p->there == ON) == (p->wants_on && !p->quiesced) && !p->leaves_host);
	if (!p->deleted && p->there != ABSENT)
		assert_true(!p->hotplugs && !p->unreported);
	if (!p->deleted && p->there == ON)
		assert_true(p->lacks_room ||
			    (p->wants_pause == p->paused && p->paused == p->reported_paused));
	if (!p->deleted && p->there == OFF)
		assert_int_equal(p->saved, p->reported_saved);
}

static struct plan_case after(const struct plan_case *p, enum instance_step step)
{
	struct plan_case next = *p;
	struct instance row = row_of(p);
	struct instance_plan_input input = input_of(p);
	switch (step) {
	case INSTANCE_SETTLED:
	case INSTANCE_WAIT_DISKS:
		break;
	case INSTANCE_BACK_OFF:
		next.backs_off = false;
		break;
	case INSTANCE_IO_PAUSED:
		next.lacked_it_long = true;
		break;
	case INSTANCE_RESUME:
		next.lacks_room = false;
		break;
	case INSTANCE_DEFINE:
		next.there = OFF;
		next.is_as_wished = true;
		next.unreported = next.unreported || next.hotplugs;
		next.hotplugs = false;
		break;
	case INSTANCE_PLUG:
		next.is_as_wished = true;
		next.hotplugs = next.unreported = false;
		break;
	case INSTANCE_START:
		next.hotplugs = next.saved = next.reported_saved = next.paused = next.reported_paused = false;
		/* fall through */
	case INSTANCE_RESET:
		next.there = next.row_seen = ON;
		next.is_reached = true;
		next.wants_boot = next.unreported = false;
		break;
	case INSTANCE_PAUSE:
		next.paused = true;
		break;
	case INSTANCE_UNPAUSE:
		next.paused = false;
		break;
	case INSTANCE_SAVE:
		next.there = OFF;
		next.saved = true;
		break;
	case INSTANCE_REBOOT:
	case INSTANCE_SHUTDOWN:
	case INSTANCE_FORCE_OFF:
		next.there = OFF;
		next.saved = next.paused = false;
		break;
	case INSTANCE_UNDEFINE:
		next.there = ABSENT;
		break;
	case INSTANCE_LEAVE:
		next.leaves_host = false;
		break;
	case INSTANCE_REPORT: /* a crash: it stays wanted on, and is not reached */
		next.row_seen = p->there;
		next.reported_paused = input.seen.is_paused;
		next.reported_saved = input.seen.is_saved;
		next.unreported = false;
		if (!instance_went_off(&row, &input)) {
			next.is_reached = true;
			next.wants_boot = false;
		}
		break;
	}
	return next;
}

/* From everywhere a few steps lead to rest. */
static void check_convergence(const struct plan_case *p)
{
	struct plan_case now = *p;
	for (int k = 0; k < 14; k++)
		now = after(&now, step_of(&now));
	enum instance_step step = step_of(&now);
	assert_true(step == INSTANCE_SETTLED || (step == INSTANCE_WAIT_DISKS && now.lacks_disks));
}

static void test_combinations(void **state)
{
	(void) state;
	each_combination(check_running);
	each_combination(check_deletion);
	each_combination(check_settled);
	each_combination(check_convergence);
}

static void test_has_ended(void **state)
{
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct instance row = row_of(&cases[k]);
		bool ended = cases[k].deleted && cases[k].row_seen == ABSENT && cases[k].is_reached;
		assert_int_equal(instance_has_ended(&row), ended);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_combinations),
		cmocka_unit_test(test_has_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
