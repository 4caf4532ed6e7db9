/* SPDX-License-Identifier: Apache-2.0
 * A case of the compute and disk contracts: the process may have been replaced as the region's writer. */
#include "compute_contract.h"

#include "model/id.h"
#include "model/instance.h"

#define MIB (INT64_C(1) << 20)

static bool may_not_act(void *self)
{
	(void) self;
	return false;
}

/* A process that may have been replaced as the region's writer between two calls of a step changes nothing. */
void test_replaced_writer(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_name disk = {.kind = DISK_VOLUME, .id = s.disks[0].volume};
	struct disk_seen made = {0};
	scene_make_blank_on(&s); /* which points the wish at the scene's disks */
	s.c.may_act = may_not_act;
	EXPECT(&s, ERR_AGAIN, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_AGAIN, subject.driver->undefine(s.h, &s.c, s.wish.id));
	s.wish.memory = 192 * MIB;
	EXPECT(&s, ERR_AGAIN, subject.driver->define(s.h, &s.c, &s.wish));
	EXPECT(&s, ERR_AGAIN, subject.disks->ensure(s.pool, &s.c, &s.files[1], &made));
	EXPECT(&s, ERR_AGAIN, subject.disks->remove(s.pool, &s.c, &disk));
	s.c.may_act = NULL;
	s.wish.memory = 128 * MIB;
	struct compute_seen seen = scene_see(&s);
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_ON);
	assert_true(seen.defined_as_wished);
	assert_non_null(scene_find_disk(&s, DISK_VOLUME, s.disks[0].volume));
	assert_null(scene_find_disk(&s, DISK_VOLUME, s.disks[1].volume));
	scene_clear(&s);
	scene_close(&s);
}
