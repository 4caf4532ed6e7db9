/* SPDX-License-Identifier: Apache-2.0
 * Groups of volumes, their types and their snapshots. */
#include "cloud.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_group.h"
#include "store/volume_group_snapshot.h"

#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_group.h"
#include "engine/storage/volume/volume_transfer.h"
#include "engine/storage/volume_type/volume_type.h"

static const struct volume *find_volume(const struct cloud *c, uuid id)
{
	return volume_find(cloud_tables(c), id);
}

static const char *status_of(const struct cloud *c, uuid group)
{
	return engine_volume_group_status(cloud_tables(c), volume_group_find(cloud_tables(c), group));
}

static const char *snapshot_status_of(const struct cloud *c, uuid group)
{
	const struct tables *t = cloud_tables(c);
	return engine_volume_group_snapshot_status(t, volume_group_snapshot_find(t, group));
}

static struct volume_wish volume_in(struct cloud *c, uuid group, struct str type)
{
	return (struct volume_wish){.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				    .group = uuid_is_none(group) ? (struct ref){0}
								 : ref_to(c, KIND_VOLUME_GROUP, group),
				    .disk = {.size = GIB, .type = type, .field = STR("Size")}};
}

static void see_volume(struct cloud *c, uuid volume)
{
	struct volume_report report = {
		.volume = volume, .gen = 1, .host = find_volume(c, volume)->host, .size = GIB};
	cloud_ok(c, NULL, engine_see_volume, &report);
}

static uuid create_seen(struct cloud *c, uuid group)
{
	struct volume_wish wish = volume_in(c, group, STR("gp3"));
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	see_volume(c, wish.volume);
	return wish.volume;
}

/* Creates alice's group for volumes of the type gp3. */
static uuid create_group(struct cloud *c)
{
	struct volume_group_type_wish type = {.name = STR("type")};
	struct ref gp3 = ref_named(KIND_VOLUME_TYPE, "gp3");
	struct volume_group_wish wish = {.type = ref_named(KIND_VOLUME_GROUP_TYPE, "type"),
					 .zone = ref_named(KIND_ZONE, "xy-west-2a"),
					 .volume_types = {&gp3, 1}};
	IGNORE(cloud_run(c, &c->operator, engine_create_volume_group_type_run, &type)); /* or it is there */
	cloud_ok(c, &c->alice, engine_create_volume_group, &wish);
	return wish.group;
}

/* The first whole, for all of the group's. */
static void keep_snapshots(struct cloud *c, uuid group_snapshot)
{
	for (const struct snapshot *s = snapshot_first_by_group_snapshot(cloud_tables(c), group_snapshot); s;
	     s = snapshot_next_by_group_snapshot(cloud_tables(c), s)) {
		uuid id = s->row.id;
		struct snapshot_report report = {.snapshot = id,
						 .gen = 1,
						 .stage = SNAPSHOT_SEEN_STAGE_KEPT,
						 .sha256 = STR("cafe"),
						 .file_size = GIB};
		cloud_ok(c, NULL, engine_see_snapshot, &report);
		s = snapshot_find(cloud_tables(c), id); /* the change has made another row of it */
	}
}

static void check_types(void **state)
{
	struct cloud *c = *state;
	uuid group = create_group(c);
	struct volume_group_type_wish type = {.name = STR("type")};
	cloud_fails(c, &c->operator, engine_create_volume_group_type, &type, ERR_EXISTS,
		    KIND_VOLUME_GROUP_TYPE);
	struct volume_group_type_target target = {.type = ref_named(KIND_VOLUME_GROUP_TYPE, "type")};
	cloud_fails(c, &c->operator, engine_delete_volume_group_type, &target, ERR_IN_USE,
		    KIND_VOLUME_GROUP_TYPE);
	struct volume_type_target used = {.type = ref_named(KIND_VOLUME_TYPE, "gp3")};
	cloud_fails(c, &c->operator, engine_delete_volume_type, &used, ERR_IN_USE, KIND_VOLUME_TYPE);
	struct volume_type_wish other = {.name = STR("other")};
	cloud_ok(c, &c->operator, engine_create_volume_type, &other);
	struct volume_type_target unused = {.type = ref_named(KIND_VOLUME_TYPE, "other")};
	cloud_ok(c, &c->operator, engine_delete_volume_type, &unused); /* the group is not of this type */
	type = (struct volume_group_type_wish){.type = target.type, .is_public = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_volume_group_type, &type);
	struct ref gp3 = ref_named(KIND_VOLUME_TYPE, "gp3");
	struct volume_group_wish wish = {
		.type = target.type, .zone = ref_named(KIND_ZONE, "xy-west-2a"), .volume_types = {&gp3, 1}};
	cloud_fails(c, &c->alice, engine_create_volume_group, &wish, ERR_NOT_FOUND, KIND_VOLUME_GROUP_TYPE);
	struct volume_group_target gone = {.group = ref_to(c, KIND_VOLUME_GROUP, group)};
	cloud_ok(c, &c->alice, engine_delete_volume_group, &gone);
	cloud_ok(c, &c->operator, engine_delete_volume_group_type, &target);
}

/* A volume must have one of the group's types. It can neither be deleted on its own, nor transferred to
 * another account, nor change its type. */
static void check_volumes(void **state)
{
	struct cloud *c = *state;
	uuid group = create_group(c);
	struct volume_wish other = volume_in(c, group, STR("gp2"));
	cloud_fails(c, &c->alice, engine_create_volume, &other, ERR_INVALID, KIND_VOLUME_GROUP);
	uuid volume = create_seen(c, group);
	struct volume_target target = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_fails(c, &c->alice, engine_delete_volume, &target, ERR_IN_USE, KIND_VOLUME);
	struct volume_modifying modifying = {.volume = target.volume, .type = STR("gp2")};
	cloud_fails(c, &c->alice, engine_modify_volume, &modifying, ERR_IN_USE, KIND_VOLUME);
	struct volume_transfer_wish offer = {.volume = target.volume, .key_sha256 = STR("x")};
	cloud_fails(c, &c->alice, engine_offer_volume, &offer, ERR_IN_USE, KIND_VOLUME);
	struct volume_group_target gone = {.group = ref_to(c, KIND_VOLUME_GROUP, group)};
	cloud_fails(c, &c->alice, engine_delete_volume_group, &gone, ERR_STATE, KIND_VOLUME_GROUP);
	cloud_fails(c, &c->bob, engine_delete_volume_group, &gone, ERR_NOT_FOUND, KIND_VOLUME_GROUP);
	gone.with_volumes = true;
	cloud_ok(c, &c->alice, engine_delete_volume_group, &gone);
	assert_false(row_is_live(&find_volume(c, volume)->row));
	assert_null(volume_group_find(cloud_tables(c), group));
}

static void check_update(void **state)
{
	struct cloud *c = *state;
	uuid group = create_group(c), other = create_group(c), volume = create_seen(c, UUID_NONE);
	struct ref ref = ref_to(c, KIND_VOLUME, volume), absent = ref_to(c, KIND_VOLUME, group);
	struct volume_group_change wish = {.group = ref_to(c, KIND_VOLUME_GROUP, group)};
	cloud_fails(c, &c->alice, engine_update_volume_group, &wish, ERR_INVALID, KIND_VOLUME_GROUP);
	wish.removed = (struct refs){&ref, 1};
	cloud_fails(c, &c->alice, engine_update_volume_group, &wish, ERR_INVALID, KIND_VOLUME);
	wish.added = (struct refs){&ref, 1};
	cloud_fails(c, &c->alice, engine_update_volume_group, &wish, ERR_INVALID, KIND_VOLUME);
	wish.removed = (struct refs){0};
	struct volume_group_marking mark = {.group = wish.group, .status = STR("error")};
	cloud_ok(c, &c->operator, engine_mark_volume_group, &mark);
	assert_string_equal(status_of(c, group), "error");
	cloud_fails(c, &c->alice, engine_update_volume_group, &wish, ERR_STATE, KIND_VOLUME_GROUP);
	assert_true(uuid_is_none(find_volume(c, volume)->group));
	mark.status = STR("gone");
	cloud_fails(c, &c->operator, engine_mark_volume_group, &mark, ERR_INVALID, KIND_VOLUME_GROUP);
	mark.status = STR("available");
	cloud_ok(c, &c->operator, engine_mark_volume_group, &mark);
	cloud_ok(c, &c->alice, engine_update_volume_group, &wish);
	assert_true(uuid_equal(find_volume(c, volume)->group, group));
	struct volume_group_change second = {.group = ref_to(c, KIND_VOLUME_GROUP, other),
					     .added = {&ref, 1}};
	cloud_fails(c, &c->alice, engine_update_volume_group, &second, ERR_INVALID, KIND_VOLUME);
	second.added = (struct refs){&absent, 1};
	cloud_fails(c, &c->alice, engine_update_volume_group, &second, ERR_INVALID, KIND_VOLUME);
	wish = (struct volume_group_change){.group = wish.group, .removed = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_update_volume_group, &wish);
	assert_true(uuid_is_none(find_volume(c, volume)->group));
}

/* A snapshot of each volume; none of them goes by itself, and the group stays as long as there are some. */
static void check_snapshots(void **state)
{
	struct cloud *c = *state;
	uuid group = create_group(c);
	struct volume_group_snapshot_wish wish = {.group = ref_to(c, KIND_VOLUME_GROUP, group),
						  .name = STR("name")};
	cloud_fails(c, &c->alice, engine_create_volume_group_snapshot, &wish, ERR_STATE, KIND_VOLUME_GROUP);
	uuid volume = create_seen(c, group);
	(void) create_seen(c, group);
	cloud_ok(c, &c->alice, engine_create_volume_group_snapshot, &wish);
	const struct snapshot *one = snapshot_first_by_volume(cloud_tables(c), volume);
	uuid first = one->row.id;
	assert_true(one && uuid_equal(one->group_snapshot, wish.group_snapshot) && str_is(one->name, "name"));
	struct volume_group_snapshot_target target = {
		.group_snapshot = ref_to(c, KIND_VOLUME_GROUP_SNAPSHOT, wish.group_snapshot)};
	assert_string_equal(snapshot_status_of(c, wish.group_snapshot), "creating");
	cloud_fails(c, &c->alice, engine_delete_volume_group_snapshot, &target, ERR_STATE,
		    KIND_VOLUME_GROUP_SNAPSHOT);
	keep_snapshots(c, wish.group_snapshot);
	assert_string_equal(snapshot_status_of(c, wish.group_snapshot), "available");
	struct snapshot_target alone = {.snapshot = ref_to(c, KIND_SNAPSHOT, first)};
	cloud_fails(c, &c->alice, engine_delete_snapshot, &alone, ERR_IN_USE, KIND_SNAPSHOT);
	struct volume_group_target gone = {.group = wish.group, .with_volumes = true};
	cloud_fails(c, &c->alice, engine_delete_volume_group, &gone, ERR_STATE, KIND_VOLUME_GROUP);
	cloud_ok(c, &c->alice, engine_delete_volume_group_snapshot, &target);
	one = snapshot_find(cloud_tables(c), first);
	assert_true(!one || !row_is_live(&one->row));
	cloud_ok(c, &c->alice, engine_delete_volume_group, &gone);
}

static size_t count_volumes(const struct cloud *c, uuid group, bool sees, struct cloud *seeing)
{
	size_t count = 0;
	for (const struct volume *v = volume_first_by_group(cloud_tables(c), group); v;
	     v = volume_next_by_group(cloud_tables(c), v), count++) {
		uuid id = v->row.id;
		if (sees)
			see_volume(seeing, id);
		v = volume_find(cloud_tables(c), id); /* another row, if it was seen */
	}
	return count;
}

static void check_copies(void **state)
{
	struct cloud *c = *state;
	uuid group = create_group(c);
	struct volume_group_wish copy = {.source_group = ref_to(c, KIND_VOLUME_GROUP, group)};
	cloud_fails(c, &c->alice, engine_create_volume_group, &copy, ERR_STATE, KIND_VOLUME_GROUP);
	cloud_fails(c, &c->bob, engine_create_volume_group, &copy, ERR_NOT_FOUND, KIND_VOLUME_GROUP);
	(void) create_seen(c, group);
	(void) create_seen(c, group);
	struct volume_group_snapshot_wish snapshot = {.group = copy.source_group};
	cloud_ok(c, &c->alice, engine_create_volume_group_snapshot, &snapshot);
	keep_snapshots(c, snapshot.group_snapshot);
	struct volume_group_wish from_snapshot = {
		.source_snapshot = ref_to(c, KIND_VOLUME_GROUP_SNAPSHOT, snapshot.group_snapshot)};
	cloud_ok(c, &c->alice, engine_create_volume_group, &from_snapshot);
	assert_string_equal(status_of(c, from_snapshot.group), "creating");
	struct volume_group_snapshot_target target = {.group_snapshot = from_snapshot.source_snapshot};
	cloud_fails(c, &c->alice, engine_delete_volume_group_snapshot, &target, ERR_STATE,
		    KIND_VOLUME_GROUP_SNAPSHOT);
	assert_int_equal(count_volumes(c, from_snapshot.group, true, c), 2);
	assert_string_equal(status_of(c, from_snapshot.group), "available");
	cloud_ok(c, &c->alice, engine_delete_volume_group_snapshot, &target);
	cloud_ok(c, &c->alice, engine_create_volume_group, &copy);
	assert_int_equal(count_volumes(c, copy.group, false, NULL), 2);
	struct volume_wish late = volume_in(c, from_snapshot.group, STR("gp3"));
	clock_set_us(clock_now_us() + 1);
	cloud_ok(c, &c->alice, engine_create_volume, &late); /* by itself: the group is made already */
	assert_string_equal(status_of(c, from_snapshot.group), "available");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_types, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_volumes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_update, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_snapshots, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_copies, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
