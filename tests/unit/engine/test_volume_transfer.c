/* SPDX-License-Identifier: Apache-2.0
 * Transfers of volumes to another account, and volumes reserved for an instance. */
#include "cloud.h"
#include "model/instance.h"
#include "store/account.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_transfer.h"

#include "base/crypto.h"
#include "engine/storage/volume/volume_reservation.h"
#include "engine/storage/volume/volume_transfer.h"

static const struct volume *find_volume(const struct cloud *c, uuid id)
{
	return volume_find(cloud_tables(c), id);
}

/* Creates a volume of alice's with its disk. */
static uuid create_seen(struct cloud *c, int64_t size)
{
	uuid volume = cloud_make_volume(c, size);
	cloud_see_volume(c, volume);
	return volume;
}

static uuid snapshot_seen(struct cloud *c, uuid volume)
{
	struct snapshot_wish wish = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	struct snapshot_report report = {.snapshot = wish.snapshot,
					 .gen = 1,
					 .stage = SNAPSHOT_SEEN_STAGE_KEPT,
					 .sha256 = STR("cafe"),
					 .file_size = GIB};
	cloud_ok(c, NULL, engine_see_snapshot, &report);
	return wish.snapshot;
}

static struct str digest_of(struct cloud *c, const char *key)
{
	uint8_t digest[VOLUME_TRANSFER_KEY_SHA256_SIZE];
	crypto_sha256(str_from(key), digest);
	return str_copy(c->arena, (struct str){(const char *) digest, sizeof digest});
}

static struct volume_transfer_wish offer_of(struct cloud *c, uuid volume)
{
	return (struct volume_transfer_wish){.volume = ref_to(c, KIND_VOLUME, volume),
					     .name = STR("gift"),
					     .key_sha256 = digest_of(c, "key")};
}

static struct volume_transfer_accept accept_of(struct cloud *c, uuid transfer)
{
	return (struct volume_transfer_accept){.transfer = ref_to(c, KIND_VOLUME_TRANSFER, transfer),
					       .key_sha256 = digest_of(c, "key")};
}

static int64_t used_by(const struct cloud *c, const struct identity *who)
{
	return account_usage(account_find(cloud_tables(c), who->account))->volume_bytes;
}

static void limit_bob(struct cloud *c, int64_t volumes, int64_t snapshots)
{
	struct account_limits limits = account_limits_all(ref_named(KIND_ACCOUNT, "bob"), ACCOUNT_LIMIT_KEEP);
	limits.volumes = volumes;
	limits.snapshots = snapshots;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
}

/* With its snapshots, its figures and its meter; what was alice's is so no more. */
static void check_accept(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, 2 * GIB), snapshot = snapshot_seen(c, volume);
	struct volume_transfer_wish offer = offer_of(c, volume);
	cloud_fails(c, &c->bob, engine_offer_volume, &offer, ERR_NOT_FOUND, KIND_VOLUME);
	cloud_ok(c, &c->alice, engine_offer_volume, &offer);
	cloud_fails(c, &c->alice, engine_offer_volume, &offer, ERR_STATE, KIND_VOLUME);
	struct volume_transfer_accept accept = accept_of(c, offer.transfer);
	accept.key_sha256 = digest_of(c, "another");
	cloud_fails(c, &c->bob, engine_accept_volume, &accept, ERR_INVALID, KIND_VOLUME_TRANSFER);
	accept.key_sha256 = STR_NONE;
	cloud_fails(c, &c->bob, engine_accept_volume, &accept, ERR_INVALID, KIND_VOLUME_TRANSFER);
	accept = accept_of(c, offer.transfer);
	limit_bob(c, 0, -1);
	cloud_fails(c, &c->bob, engine_accept_volume, &accept, ERR_QUOTA, KIND_VOLUME);
	limit_bob(c, 1, 0);
	cloud_fails(c, &c->bob, engine_accept_volume, &accept, ERR_QUOTA, KIND_SNAPSHOT);
	limit_bob(c, 1, 1);
	int64_t of_alice = used_by(c, &c->alice), of_bob = used_by(c, &c->bob);
	cloud_ok(c, &c->bob, engine_accept_volume, &accept);
	assert_true(uuid_equal(accept.volume, volume) && str_is(accept.name, "gift"));
	assert_true(uuid_equal(find_volume(c, volume)->account, c->bob.account));
	assert_true(uuid_equal(snapshot_find(cloud_tables(c), snapshot)->account, c->bob.account));
	assert_int_equal(used_by(c, &c->alice), of_alice - 2 * GIB);
	assert_int_equal(used_by(c, &c->bob), of_bob + 2 * GIB);
	assert_int_equal(cloud_usage(c, volume, "volume:gp3"), 2 * GIB);
	assert_int_equal(cloud_usage(c, snapshot, "snapshot"), GIB);
	cloud_fails(c, &c->bob, engine_accept_volume, &accept, ERR_NOT_FOUND, KIND_VOLUME_TRANSFER);
	struct volume_target target = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_fails(c, &c->alice, engine_delete_volume, &target, ERR_NOT_FOUND, KIND_VOLUME);
	target.snapshots = VOLUME_SNAPSHOTS_GO;
	cloud_ok(c, &c->bob, engine_delete_volume, &target);
	assert_false(row_is_live(&snapshot_find(cloud_tables(c), snapshot)->row));
}

/* Snapshots that stay with alice do not concern bob's deletion of the volume. */
static void check_without_snapshots(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), snapshot = snapshot_seen(c, volume);
	struct volume_transfer_wish offer = offer_of(c, volume);
	offer.without_snapshots = true;
	cloud_ok(c, &c->alice, engine_offer_volume, &offer);
	struct volume_transfer_accept accept = accept_of(c, offer.transfer);
	cloud_ok(c, &c->bob, engine_accept_volume, &accept);
	struct volume_target target = {.volume = ref_to(c, KIND_VOLUME, volume),
				       .snapshots = VOLUME_SNAPSHOTS_GO};
	cloud_ok(c, &c->bob, engine_delete_volume, &target);
	assert_true(row_is_live(&snapshot_find(cloud_tables(c), snapshot)->row));
	assert_true(uuid_equal(snapshot_find(cloud_tables(c), snapshot)->account, c->alice.account));
}

/* On offer it stays as it is, until the offer is withdrawn or the operator insists. */
static void check_offered(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB);
	struct volume_transfer_wish offer = offer_of(c, volume);
	cloud_ok(c, &c->alice, engine_offer_volume, &offer);
	uuid instance = cloud_launch_one(c);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	struct volume_attaching attaching = {.volume = ref_to(c, KIND_VOLUME, volume),
					     .instance = ref_to(c, KIND_INSTANCE, instance),
					     .is_promised = true};
	cloud_fails(c, &c->alice, engine_attach_volume, &attaching, ERR_STATE, KIND_VOLUME);
	struct volume_modifying modifying = {.volume = attaching.volume, .size = 2 * GIB};
	cloud_fails(c, &c->alice, engine_modify_volume, &modifying, ERR_STATE, KIND_VOLUME);
	struct volume_target target = {.volume = attaching.volume};
	cloud_fails(c, &c->alice, engine_delete_volume, &target, ERR_STATE, KIND_VOLUME);
	struct disk_wish disk = {.existing = attaching.volume, .device = STR("/dev/sdf"), .field = STR("x")};
	struct instance_launch launch = cloud_launch(c, 1);
	launch.disks = &disk;
	launch.disk_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_STATE, KIND_VOLUME);
	struct volume_transfer_target withdrawal = {.transfer =
							    ref_to(c, KIND_VOLUME_TRANSFER, offer.transfer)};
	cloud_fails(c, &c->bob, engine_withdraw_volume, &withdrawal, ERR_NOT_FOUND, KIND_VOLUME_TRANSFER);
	cloud_ok(c, &c->alice, engine_withdraw_volume, &withdrawal);
	offer = offer_of(c, volume);
	cloud_ok(c, &c->alice, engine_offer_volume, &offer);
	target.force = true;
	cloud_ok(c, &c->alice, engine_delete_volume, &target);
	assert_null(volume_transfer_find(cloud_tables(c), offer.transfer));
}

static void check_offer_refused(void **state)
{
	struct cloud *c = *state;
	uuid attached = cloud_volume(c, cloud_launch_one(c))->row.id;
	struct volume_transfer_wish offer = offer_of(c, attached);
	cloud_fails(c, &c->alice, engine_offer_volume, &offer, ERR_STATE, KIND_VOLUME);
	uuid volume = create_seen(c, GIB);
	struct snapshot_wish pending = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &pending);
	offer = offer_of(c, volume);
	cloud_fails(c, &c->alice, engine_offer_volume, &offer, ERR_STATE, KIND_VOLUME);
}

static void reserve(struct cloud *c, uuid volume, op_run run, enum err err)
{
	struct volume_reserving wish = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_expect(c, cloud_run(c, &c->alice, run, &wish), err, err ? KIND_VOLUME : KIND_NONE);
}

static void check_reservation(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), instance = cloud_launch_one(c), other = cloud_launch_one(c);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	cloud_see(c, other, INSTANCE_SEEN_POWER_ON);
	reserve(c, volume, engine_cancel_attaching_volume_run, ERR_STATE);
	reserve(c, volume, engine_begin_detaching_volume_run, ERR_STATE);
	reserve(c, volume, engine_begin_attaching_volume_run, ERR_NONE);
	reserve(c, volume, engine_reserve_volume_run, ERR_STATE);
	struct volume_attaching attaching = {.volume = ref_to(c, KIND_VOLUME, volume),
					     .instance = ref_to(c, KIND_INSTANCE, other)};
	cloud_fails(c, &c->alice, engine_attach_volume, &attaching, ERR_STATE, KIND_VOLUME);
	reserve(c, volume, engine_cancel_attaching_volume_run, ERR_NONE);
	struct volume_reserving reserve = {.volume = attaching.volume,
					   .instance = ref_to(c, KIND_INSTANCE, instance)};
	cloud_ok(c, &c->alice, engine_reserve_volume, &reserve);
	attaching.is_promised = true;
	cloud_fails(c, &c->alice, engine_attach_volume, &attaching, ERR_STATE, KIND_VOLUME);
	attaching.instance = reserve.instance;
	cloud_ok(c, &c->alice, engine_attach_volume, &attaching);
	const struct volume *v = find_volume(c, volume);
	assert_true(v->reservation == VOLUME_RESERVATION_NONE && uuid_is_none(v->reserved_for));
}

static uuid attach_seen(struct cloud *c, uuid volume)
{
	uuid instance = cloud_launch_one(c), plugged[] = {cloud_volume(c, instance)->row.id, volume};
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	struct volume_attaching wish = {.volume = ref_to(c, KIND_VOLUME, volume),
					.instance = ref_to(c, KIND_INSTANCE, instance)};
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	struct instance_report report = {.instance = instance,
					 .gen = cloud_instance(c, instance)->row.gen,
					 .reached = true,
					 .power = INSTANCE_SEEN_POWER_ON,
					 .devices_known = true,
					 .volumes = {plugged, 2}};
	cloud_ok(c, NULL, engine_see_instance, &report);
	return instance;
}

/* Every move from every hold: only the one named changes it. */
static void check_moves(void **state)
{
	static const op_run moves[] = {
		engine_begin_attaching_volume_run, engine_cancel_attaching_volume_run,
		engine_begin_detaching_volume_run, engine_cancel_detaching_volume_run,
		engine_reserve_volume_run,
	};
	enum {
		BEGIN_ATTACHING = 1,
		CANCEL_ATTACHING = 2,
		BEGIN_DETACHING = 4,
		CANCEL_DETACHING = 8,
		RESERVE = 16
	};
	static const struct {
		enum volume_reservation reservation;
		unsigned free, attached; /* the moves that there are */
	} cases[] = {
		{VOLUME_RESERVATION_NONE, BEGIN_ATTACHING | RESERVE, BEGIN_DETACHING},
		{VOLUME_RESERVATION_ATTACHING, CANCEL_ATTACHING, CANCEL_ATTACHING},
		{VOLUME_RESERVATION_DETACHING, CANCEL_DETACHING, CANCEL_DETACHING},
		{VOLUME_RESERVATION_RESERVED, 0, 0},
		{VOLUME_RESERVATION_MAINTENANCE, 0, 0},
	};
	struct cloud *c = *state;
	uuid free = create_seen(c, GIB), attached = create_seen(c, GIB);
	(void) attach_seen(c, attached);
	for (size_t n = 0; n < 2 * sizeof cases / sizeof cases[0]; n++) {
		uuid volume = n % 2 ? attached : free;
		unsigned allowed = n % 2 ? cases[n / 2].attached : cases[n / 2].free;
		struct volume_marking mark = {.volume = ref_to(c, KIND_VOLUME, volume),
					      .reservation = cases[n / 2].reservation};
		for (size_t k = 0; k < sizeof moves / sizeof moves[0]; k++) {
			cloud_ok(c, &c->alice, engine_mark_volume, &mark);
			reserve(c, volume, moves[k], allowed >> k & 1 ? ERR_NONE : ERR_STATE);
		}
	}
}

/* Between the check and the change, the reservation ended, or became one without an instance. */
static void check_reserved_meanwhile(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), instance = cloud_launch_one(c);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	struct volume_reserving reserve = {.volume = ref_to(c, KIND_VOLUME, volume),
					   .instance = ref_to(c, KIND_INSTANCE, instance)};
	struct volume_attaching attach = {.volume = reserve.volume};
	cloud_ok(c, &c->alice, engine_reserve_volume, &reserve);
	cloud_ok(c, &c->alice, engine_end_volume_attachment, &reserve);
	cloud_fails(c, &c->alice, engine_attach_reserved_volume, &attach, ERR_STATE, KIND_VOLUME);
	cloud_fails(c, &c->alice, engine_end_volume_attachment, &reserve, ERR_STATE, KIND_VOLUME);
	struct volume_reserving for_nobody = {.volume = reserve.volume};
	cloud_ok(c, &c->alice, engine_reserve_volume, &for_nobody);
	cloud_fails(c, &c->alice, engine_attach_reserved_volume, &attach, ERR_STATE, KIND_VOLUME);
	cloud_ok(c, &c->alice, engine_end_volume_attachment, &for_nobody);
	cloud_ok(c, &c->alice, engine_reserve_volume, &reserve);
	cloud_ok(c, &c->alice, engine_attach_reserved_volume, &attach);
	assert_true(uuid_equal(find_volume(c, volume)->instance, instance));
	cloud_ok(c, &c->alice, engine_end_volume_attachment, &reserve); /* it is detached */
	assert_true(uuid_is_none(find_volume(c, volume)->instance));
}

static void check_revert(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), snapshot = snapshot_seen(c, volume);
	struct volume_reverting wish = {.volume = ref_to(c, KIND_VOLUME, create_seen(c, GIB)),
					.snapshot = ref_to(c, KIND_SNAPSHOT, snapshot)};
	cloud_fails(c, &c->alice, engine_revert_volume, &wish, ERR_INVALID, KIND_SNAPSHOT);
	wish.volume = ref_to(c, KIND_VOLUME, volume);
	cloud_ok(c, &c->alice, engine_revert_volume, &wish);
	cloud_fails(c, &c->alice, engine_revert_volume, &wish, ERR_STATE, KIND_VOLUME);
	struct snapshot_wish again = {.volume = wish.volume};
	cloud_fails(c, &c->alice, engine_create_snapshot, &again, ERR_STATE, KIND_VOLUME);
	const struct volume *v = find_volume(c, volume);
	struct volume_report report = {
		.volume = volume, .gen = v->row.gen, .host = v->host, .size = v->size, .reverts = 1};
	cloud_ok(c, NULL, engine_see_volume, &report);
	cloud_ok(c, &c->alice, engine_create_snapshot, &again);
	struct volume_modifying modifying = {.volume = wish.volume, .size = 2 * GIB};
	cloud_ok(c, &c->alice, engine_modify_volume, &modifying);
	cloud_fails(c, &c->alice, engine_revert_volume, &wish, ERR_STATE, KIND_VOLUME);
}

static void check_image_properties(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB);
	struct tag tags[] = {{STR("b"), STR("2")}, {STR("a"), STR("1")}};
	struct volume_settings wish = {.volume = ref_to(c, KIND_VOLUME, volume),
				       .image_properties = {tags, 2}};
	cloud_ok(c, &c->alice, engine_update_volume, &wish);
	wish.image_properties = (struct tags){0};
	wish.image_property_gone = STR("none");
	cloud_fails(c, &c->alice, engine_update_volume, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	wish.image_property_gone = STR("b");
	cloud_ok(c, &c->alice, engine_update_volume, &wish);
	struct tags left = find_volume(c, volume)->image_properties;
	assert_true(left.count == 1 && str_is(left.at[0].key, "a") && str_is(left.at[0].value, "1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_accept, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_without_snapshots, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_offered, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_offer_refused, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_reservation, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_moves, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_reserved_meanwhile, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revert, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_image_properties, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
