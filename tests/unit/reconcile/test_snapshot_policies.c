/* SPDX-License-Identifier: Apache-2.0
 * Snapshot policies: every scheduled time is taken once, regardless of kills, downtimes and changes of the
 * clock. */
#include "../cloud/cloud.h"
#include "engine/people/policy/iam_role.h"
#include "engine/storage/snapshot/lifecycle_policy.h"
#include "engine/storage/snapshot/snapshot_policy.h"
#include "engine/tag.h"
#include "store/account.h"
#include "store/snapshot.h"
#include "store/snapshot_policy.h"

enum { SEEDS = 2, KEPT = 2 }; /* the second seed has a policy by tags */

static struct snapshot_policy policy_row(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct snapshot_policy *p = snapshot_policy_first(view.tables);
	return p ? *p : (struct snapshot_policy){0};
}

/* Live ones of the policy. */
static int count_taken(struct cloud *c)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct snapshot *s = snapshot_first(view.tables); s; s = snapshot_next(view.tables, s))
		count += row_is_live(&s->row) && s->interval == SNAPSHOT_INTERVAL_HOURLY;
	return count;
}

/* At half past each hour, of the volume of an instance that runs. */
static uuid make(struct cloud *c, int64_t kept)
{
	uuid instance = cloud_launch_running(c);
	struct snapshot_policy_wish wish = {.volume = cloud_ref(c, KIND_VOLUME, cloud_volume_of(c, instance)),
					    .interval = SNAPSHOT_POLICY_INTERVAL_HOURLY,
					    .schedule = STR("30"),
					    .timezone = STR("Europe/Berlin"),
					    .kept = kept};
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &wish);
	cloud_settle(c);
	return instance;
}

/* Steps until shortly after the next time. */
static bool pass(struct cloud *c)
{
	int64_t next_us = policy_row(c).next_us;
	cloud_step_for(c, next_us - clock_now_us() + 2 * CLOUD_HOST_INTERVAL_US);
	return !cloud_was_killed(c) && cloud_lived_to_settle(c);
}

/* With a policy that is active the region would not stay as it is. */
static void done(struct cloud *c)
{
	struct snapshot_policy_settings settings = {
		.policy = cloud_ref(c, KIND_SNAPSHOT_POLICY, policy_row(c).row.id), .is_active = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_snapshot_policy, &settings);
	cloud_done(c);
}

static void test_takes_and_keeps(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	(void) make(c, KEPT);
	int64_t first_us = policy_row(c).next_us;
	assert_true(first_us > clock_now_us() && first_us <= clock_now_us() + HOUR);
	assert_int_equal(first_us % HOUR, 30 * MINUTE);
	assert_int_equal(count_taken(c), 0);
	for (int k = 1; k <= 4; k++) {
		assert_true(pass(c));
		assert_int_equal(count_taken(c), k < KEPT ? k : KEPT);
		assert_int_equal(policy_row(c).last_us, first_us + (k - 1) * HOUR);
		assert_int_equal(policy_row(c).next_us, first_us + k * HOUR);
	}
	done(c);
}

/* One snapshot replaces all missed ones. */
static void test_missed(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	(void) make(c, 8);
	int64_t first_us = policy_row(c).next_us;
	cloud_kill(c);
	clock_advance_us(10 * HOUR);
	cloud_restart(c);
	cloud_settle(c);
	assert_int_equal(count_taken(c), 1);
	assert_int_equal(policy_row(c).last_us, first_us);
	assert_true(policy_row(c).next_us > clock_now_us() && policy_row(c).next_us <= clock_now_us() + HOUR);
	done(c);
}

/* After a small step back of the clock no time is taken twice. After a large one the policy continues with
 * the next time of the new clock. */
static void test_clock_set_back(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	(void) make(c, 8);
	assert_true(pass(c));
	int64_t taken_us = policy_row(c).last_us;
	clock_set_us(taken_us - 5 * SECOND);
	cloud_kill(c); /* its timers were set by the clock of before */
	cloud_restart(c);
	cloud_step_for(c, MINUTE);
	assert_int_equal(count_taken(c), 1);
	assert_int_equal(policy_row(c).next_us, taken_us + HOUR);
	clock_set_us(taken_us - 100 * HOUR + 5 * MINUTE);
	cloud_kill(c);
	cloud_restart(c);
	cloud_settle(c);
	assert_int_equal(policy_row(c).next_us, taken_us - 99 * HOUR);
	assert_int_equal(count_taken(c), 1);
	cloud_free(c);
}

/* A refused snapshot is retried, with a condition until it succeeds. */
static void test_refused(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(4, 1);
	(void) make(c, 8);
	struct account_change settings = {.account = cloud_ref(c, KIND_ACCOUNT, c->alice.account)};
	settings.enabled = CHOICE_NO;
	cloud_ok(c, NULL, engine_update_account, &settings);
	assert_true(pass(c));
	assert_int_equal(count_taken(c), 0);
	assert_true(cloud_has_condition(c, policy_row(c).row.id, SNAPSHOT_NOT_TAKEN));
	struct snapshot_policy_settings off = {
		.policy = cloud_ref(c, KIND_SNAPSHOT_POLICY, policy_row(c).row.id), .is_active = CHOICE_NO};
	int64_t due_us = policy_row(c).next_us;
	cloud_ok(c, NULL, engine_update_snapshot_policy, &off); /* before it may be tried again */
	settings.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_account, &settings);
	cloud_settle(c);
	assert_false(cloud_has_condition(c, policy_row(c).row.id, SNAPSHOT_NOT_TAKEN));
	assert_int_equal(count_taken(c), 0);
	off.is_active = CHOICE_YES; /* missed times are not made up for */
	cloud_ok(c, &c->alice, engine_update_snapshot_policy, &off);
	cloud_settle(c);
	assert_true(policy_row(c).next_us > due_us && count_taken(c) == 0);
	settings.enabled = CHOICE_NO;
	cloud_ok(c, NULL, engine_update_account, &settings);
	assert_true(pass(c));
	settings.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_account, &settings);
	cloud_step_for(c, 2 * MINUTE);
	assert_int_equal(count_taken(c), 1);
	assert_false(cloud_has_condition(c, policy_row(c).row.id, SNAPSHOT_NOT_TAKEN));
	done(c);
}

/* ---- policies by tags ---- */

static const struct tag backup_tag = {{"backup", 6}, {"yes", 3}};

static void set_tag(struct cloud *c, enum kind kind, uuid id)
{
	struct ref ref = cloud_ref(c, kind, id);
	struct tags_wish wish = {.resources = {&ref, 1}, .tags = {&backup_tag, 1}};
	cloud_ok(c, &c->alice, engine_set_tags, &wish);
}

static struct str role_of(struct cloud *c)
{
	struct iam_role_wish role = {
		.name = STR("dlm"),
		.trust = STR("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
			     "{\"Service\":\"dlm.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}")};
	c->alice.is_owner = true; /* owners create roles and pass them */
	cloud_ok(c, &c->alice, engine_create_iam_role, &role);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return str_print(c->arena, "arn:aws:iam::%" STR_FMT ":role/dlm",
			 STR_ARG(account_find(view.tables, c->alice.account)->number));
}

/* At half past each hour, of all volumes with the tag. */
static struct snapshot_policy details_of(enum snapshot_policy_targets targets)
{
	return (struct snapshot_policy){.targets = targets,
					.target_tags = {&backup_tag, 1},
					.schedule_name = STR("hourly"),
					.schedule = STR("cron(30 * * * ? *)"),
					.kept = KEPT,
					.copies_tags = true};
}

static void make_by_tags(struct cloud *c, const struct snapshot_policy *details)
{
	struct str description = STR("By tags"), role = role_of(c);
	struct lifecycle_policy_wish wish = {
		.description = &description, .role = &role, .is_active = CHOICE_YES, .details = details};
	cloud_ok(c, &c->alice, engine_create_lifecycle_policy, &wish);
	cloud_settle(c);
}

/* Live snapshots that the policy by tags took of a volume; none: of any. */
static int count_by_tags(struct cloud *c, uuid volume)
{
	int count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct snapshot *s = snapshot_first(view.tables); s; s = snapshot_next(view.tables, s))
		count += row_is_live(&s->row) && !uuid_is_none(s->policy) &&
			 (uuid_is_none(volume) || uuid_equal(s->volume, volume));
	return count;
}

static void check_tags(struct cloud *c, uuid policy, uuid volume)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct snapshot *s = snapshot_find_by_policy(view.tables, policy, volume);
	assert_non_null(tags_find(s->tags, STR("backup")));
	assert_non_null(tags_find(s->tags, STR("dlm:managed")));
	assert_true(str_is(tags_find(s->tags, STR("aws:dlm:lifecycle-schedule-name"))->value, "hourly"));
}

static void test_by_tags(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(5, 1);
	uuid tagged = cloud_volume_of(c, cloud_launch_running(c));
	uuid other = cloud_volume_of(c, cloud_launch_running(c));
	struct snapshot_policy details = details_of(SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES);
	set_tag(c, KIND_VOLUME, tagged);
	make_by_tags(c, &details);
	int64_t first_us = policy_row(c).next_us;
	assert_int_equal(first_us % HOUR, 30 * MINUTE);
	assert_true(
		uuid_is_none(policy_row(c).made_by)); /* the role acts, not the user who passed the role */
	for (int k = 1; k <= 4; k++) {
		assert_true(pass(c));
		assert_int_equal(count_by_tags(c, tagged), k < KEPT ? k : KEPT);
		assert_int_equal(count_by_tags(c, other), 0);
		assert_int_equal(policy_row(c).next_us, first_us + k * HOUR);
	}
	set_tag(c, KIND_VOLUME, other); /* the next run finds it */
	assert_true(pass(c));
	assert_int_equal(count_by_tags(c, other), 1);
	assert_int_equal(count_by_tags(c, tagged), KEPT);
	check_tags(c, policy_row(c).row.id, other);
	done(c);
}

static void test_by_tags_of_instances(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(6, 1);
	uuid instance = cloud_launch_running(c);
	struct snapshot_policy details = details_of(SNAPSHOT_POLICY_TARGETS_TAGGED_INSTANCES);
	details.without_root = true;
	set_tag(c, KIND_INSTANCE, instance);
	make_by_tags(c, &details);
	assert_true(pass(c));
	assert_int_equal(count_by_tags(c, UUID_NONE), 0); /* the boot volume is its only one */
	struct lifecycle_policy_wish change = {
		.policy = cloud_ref(c, KIND_SNAPSHOT_POLICY, policy_row(c).row.id), .details = &details};
	details.without_root = false;
	cloud_ok(c, &c->alice, engine_update_lifecycle_policy, &change);
	cloud_settle(c);
	assert_true(pass(c));
	assert_int_equal(count_by_tags(c, cloud_volume_of(c, instance)), 1);
	done(c);
}

/* Snapshots go at their age; a policy that is disabled deletes nothing. */
static void test_by_age(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(7, 1);
	uuid volume = cloud_volume_of(c, cloud_launch_running(c));
	struct snapshot_policy details = details_of(SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES);
	details.schedule = STR("cron(30 12 * * ? *)");
	details.kept = 0;
	details.kept_age = 2;
	set_tag(c, KIND_VOLUME, volume);
	make_by_tags(c, &details);
	for (int k = 1; k <= 4; k++) {
		int64_t next_us = policy_row(c).next_us;
		cloud_kill(c); /* a day passes at once */
		clock_advance_us(next_us - clock_now_us() + k * MINUTE);
		cloud_restart(c);
		cloud_settle(c);
		assert_int_equal(count_by_tags(c, volume), k < 3 ? k : 2);
	}
	struct snapshot_policy_settings settings = {
		.policy = cloud_ref(c, KIND_SNAPSHOT_POLICY, policy_row(c).row.id), .is_active = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_snapshot_policy, &settings);
	cloud_kill(c);
	clock_advance_us(10 * 24 * HOUR);
	cloud_restart(c);
	cloud_settle(c);
	assert_int_equal(count_by_tags(c, volume), 2);
	cloud_done(c);
}

/* Without its role the policy takes nothing, and says so. */
static void test_role_is_gone(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(8, 1);
	uuid volume = cloud_volume_of(c, cloud_launch_running(c));
	struct snapshot_policy details = details_of(SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES);
	set_tag(c, KIND_VOLUME, volume);
	make_by_tags(c, &details);
	struct iam_role_target role = {.iam_role = cloud_ref(c, KIND_IAM_ROLE, policy_row(c).made_with)};
	cloud_ok(c, &c->alice, engine_delete_iam_role, &role);
	assert_true(pass(c));
	assert_int_equal(count_by_tags(c, volume), 0);
	assert_true(cloud_has_condition(c, policy_row(c).row.id, SNAPSHOT_NOT_TAKEN));
	done(c);
}

/* ---- killed after each step ---- */

static bool tell_with_kill(uint64_t seed, uint64_t at, bool by_tags)
{
	struct cloud *c = cloud_new(seed * 1000, 1);
	struct snapshot_policy details = details_of(SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES);
	if (by_tags) {
		set_tag(c, KIND_VOLUME, cloud_volume_of(c, cloud_launch_running(c)));
		make_by_tags(c, &details);
	} else {
		(void) make(c, KEPT);
	}
	int64_t first_us = policy_row(c).next_us, hours = KEPT + 1;
	bool was_killed = false;
	c->kill_at = c->steps + at;
	while (policy_row(c).last_us < first_us + (hours - 1) * HOUR) {
		if (pass(c))
			continue;
		assert_false(was_killed);
		was_killed = true;
		cloud_restart(c);
		cloud_settle(c);
	}
	c->kill_at = 0;
	assert_int_equal(policy_row(c).last_us, first_us + (hours - 1) * HOUR);
	assert_int_equal(by_tags ? count_by_tags(c, UUID_NONE) : count_taken(c), KEPT);
	done(c);
	return was_killed;
}

static void test_kill_after_each_step(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t at = 1;
		while (tell_with_kill(seed, at, seed > 1))
			at += at < 40 ? 1 : 23; /* most steps are looks at the host, all alike */
		print_message("seed %llu: killed until step %llu\n", (unsigned long long) seed,
			      (unsigned long long) at);
		assert_true(at > 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_and_keeps),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_by_tags),
		cmocka_unit_test(test_by_tags_of_instances),
		cmocka_unit_test(test_by_age),
		cmocka_unit_test(test_role_is_gone),
		cmocka_unit_test(test_kill_after_each_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
