/* SPDX-License-Identifier: Apache-2.0
 * Derived states, for every combination of their inputs, and the allowed transitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/instance.h"
#include "model/instance_task.h"
#include "model/port.h"
#include "model/snapshot.h"
#include "model/state.h"
#include "model/states.h"
#include "model/volume.h"

enum { ON = INSTANCE_WANTED_POWER_ON, OFF = INSTANCE_WANTED_POWER_OFF };
enum {
	SEEN_ABSENT = INSTANCE_SEEN_POWER_ABSENT,
	SEEN_OFF = INSTANCE_SEEN_POWER_OFF,
	SEEN_ON = INSTANCE_SEEN_POWER_ON
};
enum { BEHIND = 4, AT_GEN = 5, AHEAD = 6 }; /* seen_gen, of a row with gen 5 */

struct instance_case {
	bool deleted;
	unsigned wanted, seen;
	int64_t seen_gen;
	enum instance_state state;
};

static const struct instance_case instance_cases[] = {
	{false, ON, SEEN_ABSENT, 0, INSTANCE_PENDING},
	{false, ON, SEEN_ABSENT, BEHIND, INSTANCE_PENDING},
	{false, ON, SEEN_ABSENT, AT_GEN, INSTANCE_PENDING},
	{false, ON, SEEN_OFF, BEHIND, INSTANCE_PENDING},
	{false, ON, SEEN_OFF, AT_GEN, INSTANCE_PENDING},
	{false, ON, SEEN_ON, BEHIND, INSTANCE_RUNNING},
	{false, ON, SEEN_ON, AT_GEN, INSTANCE_RUNNING},
	{false, OFF, SEEN_ABSENT, 0, INSTANCE_STOPPED},
	{false, OFF, SEEN_ABSENT, BEHIND, INSTANCE_STOPPED},
	{false, OFF, SEEN_ABSENT, AT_GEN, INSTANCE_STOPPED},
	{false, OFF, SEEN_OFF, BEHIND, INSTANCE_STOPPED},
	{false, OFF, SEEN_OFF, AT_GEN, INSTANCE_STOPPED},
	{false, OFF, SEEN_ON, BEHIND, INSTANCE_STOPPING},
	{false, OFF, SEEN_ON, AT_GEN, INSTANCE_STOPPING},
	{true, ON, SEEN_ABSENT, 0, INSTANCE_SHUTTING_DOWN},
	{true, ON, SEEN_ABSENT, BEHIND, INSTANCE_SHUTTING_DOWN},
	{true, ON, SEEN_ABSENT, AT_GEN, INSTANCE_TERMINATED},
	{true, ON, SEEN_ABSENT, AHEAD, INSTANCE_TERMINATED},
	{true, ON, SEEN_OFF, BEHIND, INSTANCE_SHUTTING_DOWN},
	{true, ON, SEEN_OFF, AT_GEN, INSTANCE_SHUTTING_DOWN},
	{true, ON, SEEN_ON, BEHIND, INSTANCE_SHUTTING_DOWN},
	{true, ON, SEEN_ON, AT_GEN, INSTANCE_SHUTTING_DOWN},
	{true, OFF, SEEN_ABSENT, 0, INSTANCE_SHUTTING_DOWN},
	{true, OFF, SEEN_ABSENT, BEHIND, INSTANCE_SHUTTING_DOWN},
	{true, OFF, SEEN_ABSENT, AT_GEN, INSTANCE_TERMINATED},
	{true, OFF, SEEN_ABSENT, AHEAD, INSTANCE_TERMINATED},
	{true, OFF, SEEN_OFF, BEHIND, INSTANCE_SHUTTING_DOWN},
	{true, OFF, SEEN_OFF, AT_GEN, INSTANCE_SHUTTING_DOWN},
	{true, OFF, SEEN_ON, BEHIND, INSTANCE_SHUTTING_DOWN},
	{true, OFF, SEEN_ON, AT_GEN, INSTANCE_SHUTTING_DOWN},
};
enum { INSTANCE_CASES = sizeof instance_cases / sizeof *instance_cases };

static struct instance make_instance(const struct instance_case *c)
{
	return (struct instance){.row = {.gen = AT_GEN, .deleted_us = c->deleted},
				 .wanted_power = c->wanted,
				 .seen_power = c->seen,
				 .seen_gen = c->seen_gen};
}

static void test_instance(void **state)
{
	(void) state;
	for (size_t n = 0; n < INSTANCE_CASES; n++) {
		struct instance i = make_instance(&instance_cases[n]);
		assert_int_equal(model_derive_instance_state(&i), instance_cases[n].state);
		i.wanted_boots = 1; /* a reboot under way does not show */
		assert_int_equal(model_derive_instance_state(&i), instance_cases[n].state);
	}
}

/* Instances that are wanted on or off, with wanted and seen pauses and saved memory. */
static void test_pause_and_save(void **state)
{
	(void) state;
	static const struct {
		unsigned wanted, seen;
		bool wanted_pause, wanted_save, seen_paused, seen_saved;
		enum instance_state state;
	} cases[] = {
		{ON, SEEN_ON, .wanted_pause = true, .state = INSTANCE_RUNNING},
		{ON, SEEN_ON, .wanted_pause = true, .seen_paused = true, .state = INSTANCE_PAUSED},
		{ON, SEEN_ON, .seen_paused = true, .state = INSTANCE_PAUSED},
		{ON, SEEN_OFF, .seen_saved = true, .state = INSTANCE_PENDING},
		{OFF, SEEN_ON, .wanted_save = true, .state = INSTANCE_SUSPENDING},
		{OFF, SEEN_ON, .seen_paused = true, .state = INSTANCE_STOPPING},
		{OFF, SEEN_OFF, .wanted_save = true, .seen_saved = true, .state = INSTANCE_SUSPENDED},
		{OFF, SEEN_OFF, .seen_saved = true, .state = INSTANCE_SUSPENDED},
		{OFF, SEEN_OFF, .wanted_save = true, .state = INSTANCE_STOPPED}, /* it went off before */
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct instance i = {.row = {.gen = AT_GEN},
				     .wanted_power = cases[n].wanted,
				     .wanted_pause = cases[n].wanted_pause,
				     .wanted_save = cases[n].wanted_save,
				     .seen_power = cases[n].seen,
				     .seen_paused = cases[n].seen_paused,
				     .seen_saved = cases[n].seen_saved};
		assert_int_equal(model_derive_instance_state(&i), cases[n].state);
	}
}

/* A task lasts until the gen for which it was requested has been applied. */
static void test_task(void **state)
{
	(void) state;
	struct instance i = {.row = {.gen = 9}, .task = INSTANCE_TASK_RESIZE, .task_gen = 7, .seen_gen = 6};
	i.old_type = (uuid){{1}};
	assert_int_equal(model_derive_instance_task(&i), INSTANCE_TASK_RESIZE);
	assert_false(model_is_resized(&i));
	i.seen_gen = 7; /* later requests do not matter */
	assert_int_equal(model_derive_instance_task(&i), INSTANCE_TASK_NONE);
	assert_true(model_is_resized(&i));
	i.old_type = UUID_NONE;
	assert_false(model_is_resized(&i));
	i.seen_gen = 6;
	i.row.deleted_us = 1;
	assert_int_equal(model_derive_instance_task(&i), INSTANCE_TASK_NONE);
}

struct volume_case {
	bool deleted, attached; /* attached: and found plugged */
	int64_t seen_size, seen_gen;
	enum volume_state state;
};

static const struct volume_case volume_cases[] = {
	{false, false, 0, 0, VOLUME_CREATING},       {false, true, 0, 0, VOLUME_CREATING},
	{false, false, 0, AT_GEN, VOLUME_CREATING},  {false, false, 1, BEHIND, VOLUME_AVAILABLE},
	{false, false, 1, AT_GEN, VOLUME_AVAILABLE}, {false, true, 1, BEHIND, VOLUME_IN_USE},
	{false, true, 1, AT_GEN, VOLUME_IN_USE},     {true, false, 0, 0, VOLUME_DELETING},
	{true, false, 0, BEHIND, VOLUME_DELETING},   {true, false, 0, AT_GEN, VOLUME_DELETED},
	{true, true, 0, BEHIND, VOLUME_DELETING},    {true, true, 0, AT_GEN, VOLUME_DELETED},
	{true, false, 1, BEHIND, VOLUME_DELETING},   {true, false, 1, AT_GEN, VOLUME_DELETING},
	{true, true, 1, AT_GEN, VOLUME_DELETING},
};

enum { VOLUME_CASES = sizeof volume_cases / sizeof *volume_cases };

static void test_may_move(void **state)
{
	(void) state;
	const struct state_info *s = model_instance_states;
	for (unsigned from = 0; from < INSTANCE_STATE_COUNT; from++) {
		assert_true(model_state_may_move(s, from, from));
		if (from != INSTANCE_TERMINATED)
			assert_false(model_state_may_move(s, INSTANCE_TERMINATED, from));
		assert_int_equal(s[from].to == 0, from == INSTANCE_TERMINATED);
	}
	assert_true(model_state_may_move(s, INSTANCE_PENDING, INSTANCE_RUNNING));
	assert_true(model_state_may_move(s, INSTANCE_SHUTTING_DOWN, INSTANCE_TERMINATED));
	assert_false(model_state_may_move(s, INSTANCE_SHUTTING_DOWN, INSTANCE_RUNNING));
	s = model_volume_states;
	assert_true(model_state_may_move(s, VOLUME_IN_USE, VOLUME_AVAILABLE));
	assert_true(
		model_state_may_move(s, VOLUME_DELETING, VOLUME_AVAILABLE)); /* CloudStack's recoverVolume */
	assert_false(model_state_may_move(s, VOLUME_DELETING, VOLUME_CREATING));
}

static struct volume make_volume(const struct volume_case *c)
{
	struct volume v = {.row = {.gen = AT_GEN, .deleted_us = c->deleted},
			   .seen_size = c->seen_size,
			   .seen_gen = c->seen_gen};
	v.host.b[0] = 1;
	v.instance.b[0] = c->attached;
	v.host.b[0] = 1;
	return v;
}

static void test_volume(void **state)
{
	(void) state;
	for (size_t n = 0; n < VOLUME_CASES; n++) {
		struct volume v = make_volume(&volume_cases[n]);
		assert_int_equal(model_derive_volume_state(&v), volume_cases[n].state);
	}
	struct volume unplaced = {.row.gen = AT_GEN};
	assert_int_equal(model_derive_volume_state(&unplaced), VOLUME_ERROR);
	unplaced.sending = VOLUME_SENDING_WAITING; /* it is placed once its data are there */
	assert_int_equal(model_derive_volume_state(&unplaced), VOLUME_CREATING);
}

struct port_case {
	bool deleted;
	char wanted, seen; /* instances; 0: none */
	enum port_state state;
};

static const struct port_case port_cases[] = {
	{false, 0, 0, PORT_AVAILABLE}, {false, 1, 0, PORT_ATTACHING}, {false, 1, 1, PORT_IN_USE},
	{false, 1, 2, PORT_ATTACHING}, {false, 0, 1, PORT_DETACHING}, {true, 0, 0, PORT_DELETED},
	{true, 0, 1, PORT_DELETED},
};

enum { PORT_CASES = sizeof port_cases / sizeof *port_cases };

static struct port make_port(const struct port_case *c)
{
	struct port p = {.row = {.gen = AT_GEN, .deleted_us = c->deleted}};
	p.instance.b[0] = (uint8_t) c->wanted;
	p.seen_instance.b[0] = (uint8_t) c->seen;
	return p;
}

static void test_port(void **state)
{
	(void) state;
	for (size_t n = 0; n < PORT_CASES; n++) {
		struct port p = make_port(&port_cases[n]);
		assert_int_equal(model_derive_port_state(&p), port_cases[n].state);
	}
}

static void test_attachment(void **state)
{
	(void) state;
	const uuid one = {{1}}, two = {{2}};
	assert_int_equal(model_derive_attachment(UUID_NONE, UUID_NONE), ATTACHMENT_NONE);
	assert_int_equal(model_derive_attachment(one, UUID_NONE), ATTACHMENT_ATTACHING);
	assert_int_equal(model_derive_attachment(one, two), ATTACHMENT_ATTACHING);
	assert_int_equal(model_derive_attachment(one, one), ATTACHMENT_ATTACHED);
	assert_int_equal(model_derive_attachment(UUID_NONE, one), ATTACHMENT_DETACHING);
	struct volume v = {.seen_size = 1, .seen_instance = one}; /* until the guest has let go */
	assert_int_equal(model_derive_volume_state(&v), VOLUME_IN_USE);
}

static void test_snapshot(void **state)
{
	(void) state;
	struct snapshot s = {.seen_stage = SNAPSHOT_SEEN_STAGE_NONE}, before = s;
	assert_int_equal(model_derive_snapshot_state(&s), SNAPSHOT_PENDING);
	s.seen_stage = SNAPSHOT_SEEN_STAGE_CUT;
	assert_int_equal(model_derive_snapshot_state(&s), SNAPSHOT_PENDING);
	s.seen_stage = SNAPSHOT_SEEN_STAGE_KEPT;
	assert_int_equal(model_derive_snapshot_state(&s), SNAPSHOT_COMPLETED);
	assert_null(model_check_move(KIND_SNAPSHOT, &before.row, &s.row));
	assert_non_null(model_check_move(KIND_SNAPSHOT, &s.row, &before.row));
	struct snapshot failed = {.problem = STR("no disk")};
	assert_int_equal(model_derive_snapshot_state(&failed), SNAPSHOT_ERROR);
	assert_non_null(model_check_move(KIND_SNAPSHOT, &failed.row, &s.row));
	failed.row.deleted_us = 1;
	assert_int_equal(model_derive_snapshot_state(&failed), SNAPSHOT_DELETING);
}

/* Every change of wishes or reports moves a live row's state along an allowed transition, and so does its
 * deletion: neither a host's report nor a wish can make the store refuse a change. A row deleted between two
 * looks has been in the state deleting, because the deletion increments gen. */
static void test_live_rows_move_freely(void **state)
{
	(void) state;
	for (size_t n = 0; n < INSTANCE_CASES; n++) {
		for (size_t m = 0; m < INSTANCE_CASES; m++) {
			const struct instance_case *from = &instance_cases[n], *to = &instance_cases[m];
			if (from->deleted)
				continue;
			struct instance a = make_instance(from), b = make_instance(to);
			assert_null(model_check_move(KIND_INSTANCE, &a.row, &b.row));
		}
	}
	for (size_t n = 0; n < VOLUME_CASES; n++) {
		for (size_t m = 0; m < VOLUME_CASES; m++) {
			const struct volume_case *from = &volume_cases[n], *to = &volume_cases[m];
			if (from->deleted || to->state == VOLUME_DELETED)
				continue;
			struct volume a = make_volume(from), b = make_volume(to);
			assert_null(model_check_move(KIND_VOLUME, &a.row, &b.row));
		}
	}
	for (size_t n = 0; n < PORT_CASES; n++) {
		for (size_t m = 0; m < PORT_CASES; m++) {
			struct port a = make_port(&port_cases[n]), b = make_port(&port_cases[m]);
			if (!port_cases[n].deleted)
				assert_null(model_check_move(KIND_PORT, &a.row, &b.row));
		}
	}
}

static void test_check_move(void **state)
{
	(void) state;
	struct instance going = {.row = {.gen = AT_GEN, .deleted_us = 1}}, live = {.row = {.gen = AT_GEN}};
	assert_null(model_check_move(KIND_INSTANCE, NULL, &going.row));
	assert_null(model_check_move(KIND_INSTANCE, &going.row, NULL));
	assert_null(model_check_move(KIND_INSTANCE, &live.row, &going.row));
	assert_non_null(model_check_move(KIND_INSTANCE, &going.row, &live.row));
	struct volume there = {.seen_size = 1}, gone = {.row = {.deleted_us = 1}, .seen_size = 1};
	assert_null(model_check_move(KIND_VOLUME, &there.row, &gone.row));
	assert_null(
		model_check_move(KIND_VOLUME, &gone.row, &there.row)); /* recovered before it was expunged */
	struct row host = {0};
	assert_null(model_check_move(KIND_HOST, &host, &host));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachment), cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_instance),   cmocka_unit_test(test_pause_and_save),
		cmocka_unit_test(test_task),       cmocka_unit_test(test_volume),
		cmocka_unit_test(test_may_move),   cmocka_unit_test(test_live_rows_move_freely),
		cmocka_unit_test(test_check_move), cmocka_unit_test(test_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
