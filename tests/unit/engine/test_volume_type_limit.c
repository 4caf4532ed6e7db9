/* SPDX-License-Identifier: Apache-2.0
 * Limits of single volume types; snapshots that take of the account's bytes; volumes that nothing can hold. */
#include <stdio.h>

#include "cloud.h"
#include "model/states.h"
#include "store/account.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_type.h"
#include "store/volume_type_limit.h"

#include "engine/people/account.h"
#include "engine/storage/snapshot.h"
#include "engine/storage/volume.h"
#include "engine/storage/volume_type.h"
#include "engine/storage/volume_type_limit.h"

static uuid type_of(const struct cloud *c, const char *name)
{
	return volume_type_find_by_name(cloud_tables(c), str_from(name))->row.id;
}

/* who NULL: of every account. */
static void limit_type(struct cloud *c, const struct identity *who, const char *type, int64_t volumes,
		       int64_t bytes, int64_t snapshots)
{
	const struct volume_type_limit_wish limit = {type_of(c, type), {volumes, bytes, snapshots}};
	struct ref account = who ? ref_to(c, KIND_ACCOUNT, who->account) : (struct ref){0};
	struct account_limits limits = account_limits_all(account, ACCOUNT_LIMIT_KEEP);
	limits.types = &limit;
	limits.type_count = 1;
	if (who)
		cloud_ok(c, &c->operator, engine_set_limits, &limits);
	else
		cloud_ok(c, &c->operator, engine_set_default_limits, &limits);
}

static struct volume_wish wish_of(int64_t size, const char *type)
{
	return (struct volume_wish){.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				    .disk = {.size = size, .type = str_from(type), .field = STR("Size")}};
}

static uuid create(struct cloud *c, int64_t size, const char *type)
{
	struct volume_wish wish = wish_of(size, type);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	const struct volume *v = volume_find(cloud_tables(c), wish.volume);
	struct volume_report report = {
		.volume = wish.volume, .gen = v->row.gen, .host = v->host, .size = v->size};
	cloud_ok(c, NULL, engine_see_volume, &report);
	return wish.volume;
}

static void check_one_type(void **state)
{
	struct cloud *c = *state;
	const int64_t keep = ACCOUNT_LIMIT_KEEP;
	struct volume_wish wish = wish_of(2 * GIB, "gp3");
	limit_type(c, &c->alice, "gp3", 2, 5 * GIB, keep);
	create(c, 2 * GIB, "gp3");
	create(c, 9 * GIB, "gp2"); /* another type's */
	wish.disk.size = 4 * GIB;
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_QUOTA, KIND_VOLUME);
	wish.disk.size = 3 * GIB;
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	wish.disk.size = GIB;
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_QUOTA, KIND_VOLUME);
	cloud_ok(c, &c->bob, engine_create_volume, &wish);
	struct volume_modifying retype = {.volume = ref_to(c, KIND_VOLUME, create(c, GIB, "gp2")),
					  .type = STR("gp3")};
	cloud_fails(c, &c->alice, engine_modify_volume, &retype, ERR_QUOTA, KIND_VOLUME);
}

/* An account's own number goes before every account's, and each number by itself. */
static void check_every_account(void **state)
{
	struct cloud *c = *state;
	const int64_t keep = ACCOUNT_LIMIT_KEEP;
	struct volume_type_figures limits;
	limit_type(c, NULL, "gp3", 1, 7 * GIB, keep);
	limit_type(c, &c->alice, "gp3", -1, keep, keep);
	engine_read_type_limits(cloud_tables(c), c->alice.account, type_of(c, "gp3"), &limits);
	assert_true(limits.volumes == -1 && limits.bytes == 7 * GIB && limits.snapshots == -1);
	struct volume_wish wish = wish_of(GIB, "gp3");
	cloud_ok(c, &c->bob, engine_create_volume, &wish);
	cloud_fails(c, &c->bob, engine_create_volume, &wish, ERR_QUOTA, KIND_VOLUME);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	struct account_limits none =
		account_limits_all(ref_to(c, KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	none.forgets_types = true;
	cloud_ok(c, &c->operator, engine_set_limits, &none);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_QUOTA, KIND_VOLUME);
}

/* The rows go with the type. */
static void check_type_gone(void **state)
{
	struct cloud *c = *state;
	limit_type(c, &c->alice, "sc1", 1, 1, 1);
	struct volume_type_target end = {.type = ref_named(KIND_VOLUME_TYPE, "sc1")};
	cloud_ok(c, &c->operator, engine_delete_volume_type, &end);
	assert_null(volume_type_limit_first(cloud_tables(c)));
}

/* As many instances as their disks' type has room for. */
static void check_launch(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	struct str type = cloud_volume(c, wish.made.at[0])->type;
	limit_type(c, &c->alice, str_to_z(c->c.arena, type), 3, ACCOUNT_LIMIT_KEEP, ACCOUNT_LIMIT_KEEP);
	wish = cloud_launch(c, 3);
	wish.min_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_int_equal(wish.made.count, 2);
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_QUOTA, KIND_VOLUME);
}

static int64_t snapshot_bytes(const struct cloud *c)
{
	return account_usage(account_find(cloud_tables(c), c->alice.account))->snapshot_bytes;
}

static void check_snapshots(void **state)
{
	struct cloud *c = *state;
	struct account_limits limits =
		account_limits_all(ref_to(c, KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	struct snapshot_wish wish = {.volume = ref_to(c, KIND_VOLUME, create(c, 2 * GIB, "gp3"))};
	limits.volume_bytes = 3 * GIB;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	cloud_fails(c, &c->alice, engine_create_snapshot, &wish, ERR_QUOTA, KIND_SNAPSHOT);
	assert_int_equal(snapshot_bytes(c), 0);
	limits.volume_bytes = 4 * GIB;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	assert_int_equal(snapshot_bytes(c), 2 * GIB);
	struct volume_wish volume = wish_of(GIB, "gp3"); /* the snapshot has taken its room */
	cloud_fails(c, &c->alice, engine_create_volume, &volume, ERR_QUOTA, KIND_VOLUME);
	limits.volume_bytes = -1;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	limit_type(c, &c->alice, "gp3", ACCOUNT_LIMIT_KEEP, ACCOUNT_LIMIT_KEEP, 1);
	cloud_fails(c, &c->alice, engine_create_snapshot, &wish, ERR_QUOTA, KIND_SNAPSHOT);
	limit_type(c, &c->alice, "gp3", ACCOUNT_LIMIT_KEEP, 5 * GIB, -1);
	cloud_fails(c, &c->alice, engine_create_snapshot, &wish, ERR_QUOTA, KIND_SNAPSHOT);
	limit_type(c, &c->alice, "gp3", ACCOUNT_LIMIT_KEEP, 6 * GIB, -1);
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
}

/* ---- volumes that nothing can hold ---- */

static void make_type(struct cloud *c, const char *name, const char *key, const char *value)
{
	const struct tag spec = {str_from(key), str_from(value)};
	struct volume_type_wish type = {.name = str_from(name), .specs = {&spec, 1}};
	cloud_ok(c, &c->operator, engine_create_volume_type, &type);
}

static void check_unplaced(void **state)
{
	struct cloud *c = *state;
	make_type(c, "far", "storage_protocol", "iSCSI");
	struct volume_wish wish = wish_of(GIB, "far");
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	wish.keeps_unplaced = true;
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	const struct volume *v = volume_find(cloud_tables(c), wish.volume);
	assert_int_equal(model_derive_volume_state(v), VOLUME_ERROR);
	const struct condition *condition =
		condition_find_by_subject(cloud_tables(c), v->row.id, STR(VOLUME_NOT_PLACED));
	assert_non_null(condition);
	struct volume_message_target message = {
		.message = {.kind = KIND_CONDITION, .prefix = condition->row.id, .bits = 128}};
	cloud_fails(c, &c->bob, engine_forget_volume_message, &message, ERR_NOT_FOUND, KIND_CONDITION);
	cloud_ok(c, &c->alice, engine_forget_volume_message, &message);
	cloud_fails(c, &c->alice, engine_forget_volume_message, &message, ERR_NOT_FOUND, KIND_CONDITION);
	struct volume_target end = {.volume = ref_to(c, KIND_VOLUME, wish.volume)};
	cloud_ok(c, &c->alice, engine_delete_volume, &end);
	struct volume_report gone = {.volume = wish.volume};
	cloud_ok(c, NULL, engine_forget_volume, &gone);
}

/* As Cinder's capabilities filter decides. */
static void check_specs(void **state)
{
	struct cloud *c = *state;
	static const struct {
		const char *key, *value;
		bool fits;
	} rows[] = {
		{"storage_protocol", "file", true},
		{"storage_protocol", "<or> nfs <or> file", true},
		{"storage_protocol", "<or> nfs <or> iSCSI", false},
		{"storage_protocol", "<in> il", true},
		{"storage_protocol", "s== file", true},
		{"storage_protocol", "s!= file", false},
		{"capabilities:vendor_name", "Open Source", true},
		{"capabilities:vendor_name", "Other", false},
		{"multiattach", "<is> True", true},
		{"QoS_support", "<is> True", false},
		{"QoS_support", "<is> False", true},
		{"thin_provisioning_support", "True", false},
		{"volume_backend_name", "dari", true},
		{"volume_backend_name", "none", false},
		{"unknown", "1", false},
		{"other:unknown", "1", true},
		{"free_capacity_gb", ">= 10", true},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		char name[16];
		snprintf(name, sizeof name, "type%zu", k);
		make_type(c, name, rows[k].key, rows[k].value);
		struct volume_wish wish = wish_of(GIB, name);
		if (rows[k].fits)
			cloud_ok(c, &c->alice, engine_create_volume, &wish);
		else
			cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_one_type, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_every_account, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_type_gone, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_launch, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_snapshots, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_unplaced, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_specs, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
