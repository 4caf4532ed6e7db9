/* SPDX-License-Identifier: Apache-2.0
 * Snapshot policies: validation, the turns that the reconciler takes, and retention. */
#include "cloud.h"
#include "engine/storage/snapshot/snapshot_policy.h"
#include "engine/storage/volume/volume_transfer.h"
#include "model/session.h"
#include "store/account.h"
#include "store/condition.h"
#include "store/snapshot.h"
#include "store/snapshot_policy.h"

static uuid create_volume(struct cloud *c, bool is_ready)
{
	uuid volume = cloud_make_volume(c, GIB);
	if (is_ready)
		cloud_see_volume(c, volume);
	return volume;
}

static struct snapshot_policy_wish wish_of(struct cloud *c, uuid volume)
{
	return (struct snapshot_policy_wish){.volume = ref_to(c, KIND_VOLUME, volume),
					     .interval = SNAPSHOT_POLICY_INTERVAL_DAILY,
					     .schedule = STR("30:02"),
					     .timezone = STR("Europe/Berlin"),
					     .kept = 2};
}

static const struct snapshot_policy *find(struct cloud *c, uuid id)
{
	return snapshot_policy_find(cloud_tables(c), id);
}

/* Takes a turn like the reconciler does after reading the row. */
static void take_turn(struct cloud *c, uuid policy, int64_t next_us, bool is_due)
{
	struct snapshot_policy_turn turn = {.policy = policy,
					    .gen = find(c, policy)->row.gen,
					    .due_us = find(c, policy)->next_us,
					    .next_us = next_us,
					    .is_due = is_due};
	cloud_ok(c, NULL, engine_take_policy_turn, &turn);
}

static const struct snapshot *newest_of(struct cloud *c, uuid policy)
{
	return engine_find_newest(cloud_tables(c), find(c, policy));
}

static void see(struct cloud *c, uuid snapshot, const char *problem)
{
	struct snapshot_report report = {.snapshot = snapshot,
					 .gen = 1,
					 .stage = problem ? SNAPSHOT_SEEN_STAGE_NONE
							  : SNAPSHOT_SEEN_STAGE_KEPT,
					 .sha256 = STR("cafe"),
					 .file_size = GIB,
					 .problem = str_from(problem)};
	cloud_ok(c, NULL, engine_see_snapshot, &report);
	clock_advance_us(SECOND);
}

/* Takes another snapshot and reports it as kept, or as failed with this problem. */
static uuid take(struct cloud *c, uuid policy, const char *problem)
{
	take_turn(c, policy, find(c, policy)->next_us + HOUR, true);
	uuid id = newest_of(c, policy)->row.id;
	see(c, id, problem);
	return id;
}

static void check_wishes(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_volume(c, true);
	struct snapshot_policy_wish wish = wish_of(c, create_volume(c, false));
	cloud_fails(c, &c->alice, engine_put_snapshot_policy, &wish, ERR_STATE, KIND_VOLUME);
	wish = wish_of(c, volume);
	cloud_fails(c, &c->bob, engine_put_snapshot_policy, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	wish.schedule = STR("30");
	cloud_fails(c, &c->alice, engine_put_snapshot_policy, &wish, ERR_INVALID, KIND_SNAPSHOT_POLICY);
	wish = wish_of(c, volume);
	wish.timezone = STR_NONE;
	cloud_fails(c, &c->alice, engine_put_snapshot_policy, &wish, ERR_INVALID, KIND_SNAPSHOT_POLICY);
	const int64_t wrong[] = {-1, 0, SNAPSHOT_POLICY_KEPT_MAX + 1};
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		wish = wish_of(c, volume);
		wish.kept = wrong[k];
		cloud_fails(c, &c->alice, engine_put_snapshot_policy, &wish, ERR_INVALID,
			    KIND_SNAPSHOT_POLICY);
	}
	wish = wish_of(c, volume);
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &wish);
	take_turn(c, wish.policy, HOUR, false);
	/* the same interval once more changes it, and its time is worked out anew */
	struct snapshot_policy_wish again = wish_of(c, volume);
	again.kept = 3;
	again.schedule = STR("0:0");
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &again);
	assert_true(uuid_equal(again.policy, wish.policy) && find(c, wish.policy)->kept == 3);
	assert_int_equal(find(c, wish.policy)->next_us, 0);
	again.interval = SNAPSHOT_POLICY_INTERVAL_HOURLY;
	again.schedule = STR("0");
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &again);
	assert_false(uuid_equal(again.policy, wish.policy));
	struct ref refs[] = {ref_to(c, KIND_SNAPSHOT_POLICY, wish.policy), ref_to(c, KIND_VOLUME, volume)};
	refs[1].kind = KIND_SNAPSHOT_POLICY;
	struct snapshot_policies_target target = {.policies = {refs, 2}};
	cloud_fails(c, &c->alice, engine_delete_snapshot_policies, &target, ERR_NOT_FOUND,
		    KIND_SNAPSHOT_POLICY);
	assert_non_null(find(c, wish.policy)); /* all or none */
	refs[1] = ref_to(c, KIND_SNAPSHOT_POLICY, again.policy);
	cloud_fails(c, &c->bob, engine_delete_snapshot_policies, &target, ERR_NOT_FOUND,
		    KIND_SNAPSHOT_POLICY);
	cloud_ok(c, &c->alice, engine_delete_snapshot_policies, &target);
	assert_null(snapshot_policy_first(cloud_tables(c)));
}

/* Temporary credentials and an application credential end the policy that they set. */
static void check_credentials(void **state)
{
	struct cloud *c = *state;
	struct snapshot_policy_wish wish = wish_of(c, create_volume(c, true));
	const struct session session = {.expires_us = clock_now_us() + HOUR};
	struct identity alice = c->alice;
	alice.session = &session;
	cloud_ok(c, &alice, engine_put_snapshot_policy, &wish);
	take_turn(c, wish.policy, 5 * HOUR, false);
	(void) take(c, wish.policy, NULL);
	clock_advance_us(HOUR);
	uuid last = newest_of(c, wish.policy)->row.id;
	take_turn(c, wish.policy, 7 * HOUR, true);
	assert_true(uuid_equal(newest_of(c, wish.policy)->row.id, last));
	const struct condition *said = condition_first_by_subject(cloud_tables(c), wish.policy);
	assert_non_null(said);
	assert_non_null(strstr(said->message.p, "temporary credentials"));
	alice = c->alice;
	alice.application_credential = (uuid){{1}};
	cloud_ok(c, &alice, engine_put_snapshot_policy, &wish);
	take_turn(c, wish.policy, 8 * HOUR, false);
	take_turn(c, wish.policy, 9 * HOUR, true);
	assert_true(uuid_equal(newest_of(c, wish.policy)->row.id, last));
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &wish);
	take_turn(c, wish.policy, 10 * HOUR, false);
	take_turn(c, wish.policy, 11 * HOUR, true);
	assert_false(uuid_equal(newest_of(c, wish.policy)->row.id, last));
}

static void check_turns(void **state)
{
	struct cloud *c = *state;
	struct tag tag = {STR("of"), STR("policy")};
	struct snapshot_policy_wish wish = wish_of(c, create_volume(c, true));
	wish.tags = (struct tags){&tag, 1};
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &wish);
	take_turn(c, wish.policy, 5 * HOUR, false);
	assert_null(newest_of(c, wish.policy));
	take_turn(c, wish.policy, 6 * HOUR, true);
	const struct snapshot *s = newest_of(c, wish.policy);
	assert_int_equal(s->interval, SNAPSHOT_INTERVAL_DAILY);
	assert_true(str_starts_with(s->name, STR("detached_data_")) && s->tags.count == 1);
	assert_true(uuid_equal(s->account, c->alice.account));
	assert_int_equal(find(c, wish.policy)->last_us, 5 * HOUR);
	assert_int_equal(find(c, wish.policy)->next_us, 6 * HOUR);
	/* a step that looked before somebody else's turn takes none */
	struct snapshot_policy_turn late = {
		.policy = wish.policy, .gen = 1, .due_us = 5 * HOUR, .next_us = 6 * HOUR, .is_due = true};
	uuid first = s->row.id;
	clock_advance_us(SECOND);
	cloud_ok(c, NULL, engine_take_policy_turn, &late);
	assert_true(uuid_equal(newest_of(c, wish.policy)->row.id, first));
	/* nor one that is not active */
	struct snapshot_policy_settings settings = {.policy = ref_to(c, KIND_SNAPSHOT_POLICY, wish.policy),
						    .is_active = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_snapshot_policy, &settings);
	take_turn(c, wish.policy, 7 * HOUR, true);
	assert_true(uuid_equal(newest_of(c, wish.policy)->row.id, first));
}

/* A refused snapshot is reported as a condition, and stays due until it succeeds. */
static void check_refused(void **state)
{
	struct cloud *c = *state;
	struct snapshot_policy_wish wish = wish_of(c, create_volume(c, true));
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &wish);
	take_turn(c, wish.policy, HOUR, false);
	struct snapshot_wish pending = {.volume = wish.volume};
	uuid last = UUID_NONE;
	for (int k = 0; k < SNAPSHOTS_PENDING_MAX; k++) {
		cloud_ok(c, &c->alice, engine_create_snapshot, &pending);
		last = pending.snapshot;
	}
	take_turn(c, wish.policy, 2 * HOUR, true);
	assert_null(newest_of(c, wish.policy));
	assert_int_equal(find(c, wish.policy)->next_us, HOUR);
	const struct condition *said = cloud_condition(c, wish.policy, SNAPSHOT_NOT_TAKEN);
	assert_true(said && str_contains(said->message, STR("pending snapshots")));
	see(c, last, NULL);
	take_turn(c, wish.policy, 2 * HOUR, true);
	assert_non_null(newest_of(c, wish.policy));
	assert_null(cloud_condition(c, wish.policy, SNAPSHOT_NOT_TAKEN));
	/* with the volume go the policies, and what was said of them; the snapshots stay */
	uuid taken = newest_of(c, wish.policy)->row.id;
	take_turn(c, wish.policy, 3 * HOUR, true);
	assert_non_null(cloud_condition(c, wish.policy, SNAPSHOT_NOT_TAKEN));
	for (const struct snapshot *s = snapshot_first(cloud_tables(c)); s;
	     s = snapshot_next(cloud_tables(c), s))
		if (engine_snapshot_is_pending(s)) {
			uuid id = s->row.id;
			see(c, id, NULL);
			s = snapshot_find(cloud_tables(c), id);
		}
	struct volume_target target = {.volume = wish.volume};
	cloud_ok(c, &c->alice, engine_delete_volume, &target);
	assert_null(find(c, wish.policy));
	assert_null(cloud_condition(c, wish.policy, SNAPSHOT_NOT_TAKEN));
	assert_true(row_is_live(&snapshot_find(cloud_tables(c), taken)->row));
}

static bool is_there(struct cloud *c, uuid snapshot)
{
	const struct snapshot *s = snapshot_find(cloud_tables(c), snapshot);
	return s && row_is_live(&s->row);
}

/* The oldest go; a failed one when a later one is whole, and no whole one for a failed one. */
static void check_kept(void **state)
{
	struct cloud *c = *state;
	struct snapshot_policy_wish wish = wish_of(c, create_volume(c, true));
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &wish);
	take_turn(c, wish.policy, HOUR, false);
	struct snapshot_wish manual = {.volume = wish.volume};
	cloud_ok(c, &c->alice, engine_create_snapshot, &manual);
	see(c, manual.snapshot, NULL);
	uuid one = take(c, wish.policy, NULL), two = take(c, wish.policy, NULL);
	uuid bad = take(c, wish.policy, "lost");
	struct snapshot_policy_pruning pruning = {.policy = wish.policy};
	cloud_ok(c, NULL, engine_prune_policy, &pruning);
	assert_true(is_there(c, one) && is_there(c, two) && is_there(c, bad));
	uuid three = take(c, wish.policy, NULL);
	cloud_ok(c, NULL, engine_prune_policy, &pruning);
	assert_true(!is_there(c, one) && is_there(c, two) && !is_there(c, bad) && is_there(c, three));
	assert_true(is_there(c, manual.snapshot));
	/* a snapshot that an image is based on is kept, with a condition */
	struct disk_wish root = {.device = STR("/dev/xvda"), .snapshot = ref_to(c, KIND_SNAPSHOT, two)};
	struct image_wish image = {
		.name = STR("of it"), .root_device = STR("/dev/xvda"), .disks = &root, .disk_count = 1};
	cloud_ok(c, &c->alice, engine_register_image, &image);
	uuid four = take(c, wish.policy, NULL);
	cloud_ok(c, NULL, engine_prune_policy, &pruning);
	assert_true(is_there(c, two) && is_there(c, three) && is_there(c, four));
	assert_non_null(cloud_condition(c, wish.policy, SNAPSHOTS_NOT_DELETED));
	struct image_target gone = {.image = ref_to(c, KIND_IMAGE, image.image)};
	cloud_ok(c, &c->alice, engine_delete_image, &gone);
	cloud_ok(c, NULL, engine_prune_policy, &pruning);
	assert_true(!is_there(c, two) && is_there(c, three));
	assert_null(cloud_condition(c, wish.policy, SNAPSHOTS_NOT_DELETED));
}

/* A policy belongs to the former owner, and is not transferred with the volume. */
static void check_transfer(void **state)
{
	struct cloud *c = *state;
	struct snapshot_policy_wish wish = wish_of(c, create_volume(c, true));
	cloud_ok(c, &c->alice, engine_put_snapshot_policy, &wish);
	char key[VOLUME_TRANSFER_KEY_SHA256_SIZE] = "key";
	struct volume_transfer_wish offer = {.volume = wish.volume, .key_sha256 = {key, sizeof key}};
	cloud_ok(c, &c->alice, engine_offer_volume, &offer);
	struct volume_transfer_accept accept = {.transfer = ref_to(c, KIND_VOLUME_TRANSFER, offer.transfer),
						.key_sha256 = {key, sizeof key}};
	cloud_ok(c, &c->bob, engine_accept_volume, &accept);
	assert_null(find(c, wish.policy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_wishes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_turns, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_credentials, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refused, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_kept, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_transfer, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
