/* SPDX-License-Identifier: Apache-2.0
 * A row's Azure resource group entry is deleted with the row, and does not move with it to another
 * account. */
#include "../cloud/cloud.h"
#include "engine/resource_group.h"
#include "store/volume.h"
#include "store/zone.h"

enum { SEEDS = 3 };

static uuid make_volume(struct cloud *c)
{
	struct volume_wish wish = {.disk = {.size = CLOUD_GIB, .type = STR("gp2")}};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		wish.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	return wish.volume;
}

static RESULT name_resource_run(struct op *op, void *wish)
{
	engine_need_no_permission(op);
	return engine_name_resource(op, wish);
}

static void name(struct cloud *c, uuid volume)
{
	struct arm_resource_wish wish = {.type = STR("Microsoft.Compute/disks"),
					 .name = STR("d"),
					 .kind = KIND_VOLUME,
					 .target = volume};
	cloud_ok(c, &c->alice, name_resource, &wish);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_ARM_RESOURCE), 1);
}

/* At once: nobody waits for the look at everything. */
static void name_goes_with_its_row(struct cloud *c)
{
	uuid volume = make_volume(c);
	struct volume_target wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	name(c, volume);
	cloud_ok(c, &c->alice, engine_delete_volume, &wish);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_ARM_RESOURCE), 0);
}
TEST_STORY(name_goes_with_its_row, 1)

struct giving {
	uuid volume, taker;
};

static RESULT give(struct op *op, void *arg)
{
	const struct giving *g = arg;
	struct volume next = *volume_find(op->head, g->volume);
	next.account = g->taker;
	return volume_put(op, &next);
}

/* Else it would be called by that name there, where nobody finds it. */
static void name_stays_behind(struct cloud *c)
{
	struct account_wish taker = {.name = STR("taker")};
	struct giving giving = {.volume = make_volume(c)};
	cloud_ok(c, NULL, engine_create_account, &taker);
	giving.taker = taker.account;
	name(c, giving.volume);
	assert_true(result_is_ok(cloud_call(c, NULL, give, &giving)));
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		assert_null(engine_find_name(view.tables, giving.volume));
	}
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_ARM_RESOURCE), 0);
}
TEST_STORY(name_stays_behind, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_name_goes_with_its_row),
					   cmocka_unit_test(test_name_stays_behind)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
