/* SPDX-License-Identifier: Apache-2.0
 * CD-ROM drives: their media, refusals, and instances that boot from an ISO. */
#include "cloud.h"
#include "engine/storage/image/image.h"
#include "model/states.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/volume.h"

static uuid make_image(struct cloud *c, const char *format)
{
	struct image_creation made = {.form = {.name = STR("tools"),
					       .disk_format = str_from(format),
					       .container_format = STR("bare")}};
	cloud_ok(c, &c->alice, engine_create_image, &made);
	struct image_filling filling = {.image = ref_to(c, KIND_IMAGE, made.image),
					.data_size = 5,
					.md5 = STR("d5"),
					.data_sha256 = STR("da"),
					.sha512 = STR("d6"),
					.sha256 = STR("f2"),
					.file_size = 6,
					.virtual_size = 1 << 20};
	cloud_ok(c, &c->alice, engine_fill_image, &filling);
	return made.image;
}

static uuid launch(struct cloud *c, bool has_cdrom, enum instance_seen_power power)
{
	struct instance_launch wish = cloud_launch(c, 1);
	wish.has_cdrom = has_cdrom;
	wish.stays_off = power == INSTANCE_SEEN_POWER_OFF;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	cloud_see(c, wish.made.at[0], power);
	return wish.made.at[0];
}

static struct instance_medium wish_of(struct cloud *c, uuid instance, uuid image)
{
	return (struct instance_medium){ref_to(c, KIND_INSTANCE, instance), ref_to(c, KIND_IMAGE, image)};
}

static uuid medium_of(struct cloud *c, uuid instance)
{
	const struct volume *v = engine_find_medium(cloud_tables(c), instance);
	return v ? v->image : UUID_NONE;
}

static void check_in_and_out(void **state)
{
	struct cloud *c = *state;
	uuid id = launch(c, true, INSTANCE_SEEN_POWER_ON), iso = make_image(c, "iso"),
	     other = make_image(c, "iso");
	struct instance_medium wish = wish_of(c, id, iso);
	cloud_fails(c, &c->alice, engine_eject_medium, &wish, ERR_STATE, KIND_IMAGE);
	uint64_t gen = cloud_instance(c, id)->row.gen;
	cloud_ok(c, &c->alice, engine_insert_medium, &wish);
	const struct volume *medium = engine_find_medium(cloud_tables(c), id);
	assert_true(medium && medium->is_readonly && medium->delete_on_termination &&
		    medium->device_slot > 0);
	assert_true(uuid_equal(medium->image, iso) && cloud_instance(c, id)->row.gen > gen);
	uuid first = medium->row.id;
	struct volume_detaching detaching = {.volume = ref_to(c, KIND_VOLUME, first)};
	cloud_fails(c, &c->alice, engine_detach_volume, &detaching, ERR_STATE, KIND_VOLUME);
	struct volume_target deleting = {.volume = ref_to(c, KIND_VOLUME, first)};
	cloud_fails(c, &c->alice, engine_delete_volume, &deleting, ERR_IN_USE, KIND_VOLUME);
	wish = wish_of(c, id, other); /* takes its place */
	cloud_ok(c, &c->alice, engine_insert_medium, &wish);
	assert_true(uuid_equal(medium_of(c, id), other));
	assert_false(row_is_live(&volume_find(cloud_tables(c), first)->row));
	const struct volume *root = cloud_volume(c, id);
	struct volume_report seen = {
		.volume = root->row.id, .gen = root->row.gen, .host = root->host, .size = root->size};
	cloud_ok(c, NULL, engine_see_volume, &seen);
	struct image_capture capture = {.instance = wish.instance, .name = STR("of it"), .no_reboot = true};
	cloud_ok(c, &c->alice, engine_capture_image, &capture); /* without the medium */
	const struct image_device *device = image_device_first_by_image(cloud_tables(c), capture.image);
	assert_true(device && !image_device_next_by_image(cloud_tables(c), device));
	cloud_ok(c, &c->alice, engine_eject_medium, &wish);
	assert_true(uuid_is_none(medium_of(c, id)) && cloud_instance(c, id)->has_cdrom);
}

static void check_refusals(void **state)
{
	struct cloud *c = *state;
	uuid running = launch(c, false, INSTANCE_SEEN_POWER_ON), iso = make_image(c, "iso"),
	     raw = make_image(c, "raw");
	struct instance_medium wish = wish_of(c, running, iso);
	cloud_fails(c, &c->alice, engine_insert_medium, &wish, ERR_STATE, KIND_INSTANCE);
	assert_false(cloud_instance(c, running)->has_cdrom);
	uuid stopped = launch(c, false, INSTANCE_SEEN_POWER_OFF);
	wish = wish_of(c, stopped, raw);
	cloud_fails(c, &c->alice, engine_insert_medium, &wish, ERR_INVALID, KIND_IMAGE);
	wish = wish_of(c, stopped, iso);
	cloud_fails(c, &c->bob, engine_insert_medium, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_insert_medium, &wish);
	assert_true(cloud_instance(c, stopped)->has_cdrom);
	struct ref ref = ref_to(c, KIND_INSTANCE, stopped);
	struct instances_wish lock = {.instances = {&ref, 1}};
	cloud_ok(c, &c->operator, engine_lock_instances, &lock);
	cloud_fails(c, &c->alice, engine_eject_medium, &wish, ERR_PROTECTED, KIND_INSTANCE);
	cloud_ok(c, &c->operator, engine_unlock_instances, &lock);
	cloud_ok(c, &c->alice, engine_terminate_instances, &lock);
	cloud_fails(c, &c->alice, engine_insert_medium, &wish, ERR_STATE, KIND_INSTANCE);
}

/* The medium counts as a volume in quotas and placement, and is deleted with its instance. */
static void check_from_medium(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 1);
	const struct disk_wish root = {
		.device = INSTANCE_ROOT_DEVICE, .size = 3 * GIB, .type = STR("gp3"), .field = STR("Root")};
	wish.from_medium = true;
	wish.disks = &root;
	wish.disk_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_IMAGE);
	wish.image = ref_to(c, KIND_IMAGE, make_image(c, "iso"));
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0];
	const struct volume *disk = volume_find_by_instance(cloud_tables(c), id, 0);
	assert_true(disk->size == 3 * GIB && uuid_is_none(disk->snapshot) && !disk->is_medium);
	assert_true(cloud_instance(c, id)->has_cdrom && !uuid_is_none(medium_of(c, id)));
	uuid medium = engine_find_medium(cloud_tables(c), id)->row.id;
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish end = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_destroy_instances, &end);
	assert_true(row_is_live(&volume_find(cloud_tables(c), medium)->row));
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ABSENT);
	assert_false(row_is_live(&volume_find(cloud_tables(c), medium)->row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_in_and_out, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refusals, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_from_medium, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
