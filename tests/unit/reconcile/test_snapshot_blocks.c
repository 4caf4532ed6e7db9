/* SPDX-License-Identifier: Apache-2.0
 * Snapshots that are written block by block: one without blocks for its time fails and reserves nothing any
 * more. tests/contract/ebs/blocks.py has the rest. */
#include "../cloud/cloud.h"
#include "engine/storage/snapshot/snapshot_blocks.h"
#include "model/states.h"
#include "store/snapshot.h"

#define SIZE (INT64_C(1) << 30)

static uuid start(struct cloud *c, int64_t timeout_min)
{
	struct block_snapshot_wish wish = {.size = SIZE, .timeout_min = timeout_min};
	cloud_ok(c, &c->alice, engine_start_block_snapshot, &wish);
	cloud_step_for(c, SECOND);
	return wish.snapshot;
}

static struct snapshot row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct snapshot *s = snapshot_find(view.tables, id);
	return s ? *s : (struct snapshot){0};
}

static enum snapshot_state state_of(struct cloud *c, uuid id)
{
	struct snapshot s = row(c, id);
	return model_derive_snapshot_state(&s);
}

static void test_nobody_writes(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid id = start(c, 20);
	cloud_step_for(c, 19 * MINUTE);
	assert_int_equal(state_of(c, id), SNAPSHOT_PENDING);
	assert_int_equal(row(c, id).file_size, SIZE);
	cloud_step_for(c, 2 * MINUTE);
	assert_int_equal(state_of(c, id), SNAPSHOT_ERROR);
	assert_int_equal(row(c, id).file_size, 0);
	struct block_snapshot_target target = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, id)};
	assert_int_equal(cloud_call(c, &c->alice, engine_complete_block_snapshot_run, &target).code,
			 ERR_STATE);
	cloud_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_nobody_writes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
