/* SPDX-License-Identifier: Apache-2.0
 * Audits requested by rows: they end in spite of kills, run one at a time, and find objects without a row. */
#include "../cloud/cloud.h"
#include "drivers/sim/compute.h"
#include "engine/region/region.h"
#include "engine/region/region_audit.h"
#include "model/id.h"
#include "model/states.h"
#include "store/audit_difference.h"
#include "store/region_audit.h"

enum { SEEDS = 20 };

static uuid begin(struct cloud *c)
{
	struct audit_wish wish = {0};
	cloud_ok(c, NULL, engine_begin_audit, &wish);
	return wish.audit;
}

static bool has_ended(struct cloud *c, const void *arg)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct region_audit *a = region_audit_find(view.tables, *(const uuid *) arg);
	return a && a->stage == REGION_AUDIT_STAGE_ENDED;
}

/* Waits for the audit's end and returns the count of differences. */
static int64_t await(struct cloud *c, uuid audit)
{
	assert_true(cloud_step_until(c, has_ended, &audit, 10 * MINUTE));
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct region_audit *a = region_audit_find(view.tables, audit);
	assert_int_equal(a->asked, a->answered);
	assert_int_equal(a->found, (int64_t) tables_count(view.tables, KIND_AUDIT_DIFFERENCE));
	assert_true(a->begun_us <= a->ended_us);
	return a->found;
}

static void one_at_a_time(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 2);
	struct audit_wish second = {0};
	cloud_settle(c);
	uuid first = begin(c);
	assert_int_equal(cloud_call(c, NULL, engine_begin_audit_run, &second).code, ERR_STATE);
	assert_int_equal(await(c, first), 0);
	assert_int_equal(await(c, begin(c)), 0);
	cloud_free(c);
}

static void a_disk_without_a_row_is_found(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 2);
	cloud_settle(c);
	uuid stray = id_new(KIND_VOLUME);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		sim_compute_bring_disk(STR("h0"), engine_get_region_id(view.tables), stray, INT64_C(1) << 30);
	}
	uuid audit = begin(c);
	assert_int_equal(await(c, audit), 1);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		const struct audit_difference *d = audit_difference_first_by_subject(view.tables, stray);
		assert_non_null(d);
		assert_true(d->quarantined && !d->has_row);
		assert_int_equal(d->about, AUDIT_DIFFERENCE_ABOUT_DISK);
		assert_true(uuid_equal(d->audit, audit));
	}
	struct leftover_purge purge = {stray};
	cloud_ok(c, NULL, engine_note_purge, &purge);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		assert_null(audit_difference_first_by_subject(view.tables, stray));
	}
	cloud_free(c);
}

static void it_ends_whatever_dies(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct cloud *c = cloud_new(seed, 2);
		cloud_settle(c);
		uuid audit = begin(c);
		for (uint64_t k = 0; k < seed; k++)
			(void) executor_step(c->executor, clock_now_us() + SECOND);
		if (!has_ended(c, &audit)) {
			cloud_kill(c);
			cloud_restart(c);
		}
		(void) await(c, audit);
		cloud_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(a_disk_without_a_row_is_found),
		cmocka_unit_test(it_ends_whatever_dies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
