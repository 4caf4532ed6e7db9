/* SPDX-License-Identifier: Apache-2.0
 * Images: owners, visibility, their devices and snapshots, and when their rows may be deleted. */
#include <string.h>

#include "base/clock.h"
#include "cloud.h"
#include "model/states.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

static struct image_import import_of(const char *name, bool is_public)
{
	return (struct image_import){.name = str_from(name),
				     .is_public = is_public,
				     .virtual_size = GIB,
				     .file_size = GIB / 4,
				     .sha256 = STR("ff")};
}

static uuid import_one(struct cloud *c, const struct identity *who, const char *name, bool is_public)
{
	struct image_import wish = import_of(name, is_public);
	cloud_ok(c, who, engine_import_image, &wish);
	return wish.image;
}

static enum image_state state_of(struct cloud *c, uuid image)
{
	return engine_derive_image_state(cloud_tables(c), image_find(cloud_tables(c), image));
}

static void check_import(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid alices = import_one(c, &c->alice, "debian", false); /* the operator has one of that name, too */
	assert_true(uuid_equal(image_find(t, alices)->account, c->alice.account));
	assert_true(uuid_is_none(image_find(t, c->image)->account));
	const struct image_device *device = image_device_find_by_image(t, alices, 0);
	const struct snapshot *snapshot = snapshot_find(t, device->snapshot);
	assert_true(device->size == GIB && str_is(device->device, "/dev/xvda") &&
		    device->delete_on_termination);
	assert_true(uuid_equal(snapshot->account, c->alice.account) && uuid_is_none(snapshot->volume));
	assert_int_equal(model_derive_snapshot_state(snapshot), SNAPSHOT_COMPLETED);
	assert_int_equal(state_of(c, alices), IMAGE_AVAILABLE);
	struct image_import wish = import_of("debian", false);
	cloud_fails(c, &c->alice, engine_import_image, &wish, ERR_EXISTS, KIND_IMAGE);
	wish = import_of("", false);
	cloud_fails(c, &c->alice, engine_import_image, &wish, ERR_INVALID, KIND_IMAGE);
	wish = import_of("x", false);
	wish.sha256 = STR_NONE;
	cloud_fails(c, &c->alice, engine_import_image, &wish, ERR_MISSING, KIND_IMAGE);
}

/* Copied at the launch: an instance outlives its image. */
static void check_machine(void **state)
{
	struct cloud *c = *state;
	struct image_import wish = import_of("windows", true);
	wish.secure_boot = true;
	cloud_fails(c, &c->alice, engine_import_image, &wish, ERR_COMBINATION, KIND_IMAGE);
	wish.platform = IMAGE_PLATFORM_WINDOWS;
	wish.boot_mode = IMAGE_BOOT_MODE_UEFI_PREFERRED;
	wish.tpm = true;
	wish.disk_bus = IMAGE_DISK_BUS_SATA;
	wish.nic_model = IMAGE_NIC_MODEL_E1000E;
	cloud_ok(c, &c->alice, engine_import_image, &wish);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.image = ref_to(c, KIND_IMAGE, wish.image);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	const struct instance *i = instance_find(cloud_tables(c), launch.made.at[0]);
	assert_int_equal(i->platform, INSTANCE_PLATFORM_WINDOWS);
	assert_int_equal(i->boot_mode, INSTANCE_BOOT_MODE_UEFI_PREFERRED);
	assert_true(i->secure_boot && i->tpm);
	assert_int_equal(i->disk_bus, INSTANCE_DISK_BUS_SATA);
	assert_int_equal(i->nic_model, INSTANCE_NIC_MODEL_E1000E);
}

static void check_visibility(void **state)
{
	struct cloud *c = *state;
	uuid private = import_one(c, &c->alice, "private", false);
	uuid public = import_one(c, &c->alice, "public", true);
	const struct image *image = NULL;
	struct ref ref = ref_to(c, KIND_IMAGE, private);
	engine_act_by_roles(&c->c, &c->bob);
	assert_int_equal(engine_find_image(&c->c, cloud_tables(c), &ref, &image).code, ERR_NOT_FOUND);
	assert_true(str_is(c->c.problem.field, "Id"));
	ctx_clear_problem(&c->c);
	ref = ref_to(c, KIND_IMAGE, public);
	assert_int_equal(engine_find_image(&c->c, cloud_tables(c), &ref, &image).code, ERR_NONE);
	ref = ref_to(c, KIND_IMAGE, c->image);
	assert_int_equal(engine_find_image(&c->c, cloud_tables(c), &ref, &image).code, ERR_NONE);
	/* Seen is not owned. */
	struct image_target target = {.image = ref_to(c, KIND_IMAGE, public)};
	cloud_fails(c, &c->bob, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
	target.image = ref_to(c, KIND_IMAGE, c->image);
	cloud_fails(c, &c->bob, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
	/* Another kind's id is no image. */
	target.image = ref_to(c, KIND_ROUTER, c->alice_router);
	cloud_fails(c, &c->alice, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
}

static void check_forget(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid instance = cloud_launch_one(c);
	struct image_forget forget = {.image = c->image};
	cloud_fails(c, NULL, engine_forget_image, &forget, ERR_STATE, KIND_IMAGE);
	struct image_target target = {.image = ref_to(c, KIND_IMAGE, c->image)};
	cloud_ok(c, &c->operator, engine_delete_image, &target);
	assert_int_equal(state_of(c, c->image), IMAGE_DEREGISTERED);
	cloud_fails(c, &c->operator, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_NOT_FOUND, KIND_IMAGE);
	clock_advance_us(IMAGE_KNOWN_US);
	cloud_fails(c, NULL, engine_forget_image, &forget, ERR_IN_USE, KIND_IMAGE);
	/* The name is free again although the row is still there. */
	import_one(c, &c->operator, "debian", true);
	assert_true(row_is_live(&cloud_instance(c, instance)->row));
	uuid unused = import_one(c, &c->operator, "unused", true);
	target.image = ref_to(c, KIND_IMAGE, unused);
	forget.image = unused;
	cloud_ok(c, &c->operator, engine_delete_image, &target);
	cloud_fails(c, NULL, engine_forget_image, &forget, ERR_STATE, KIND_IMAGE);
	clock_advance_us(IMAGE_KNOWN_US);
	cloud_ok(c, NULL, engine_forget_image, &forget);
	cloud_ok(c, NULL, engine_forget_image, &forget);
	assert_null(image_find(t, unused));
}

/* For a while it is told from what never was, to those that could see it. */
static void check_gone(void **state)
{
	struct cloud *c = *state;
	uuid private = import_one(c, &c->alice, "private", false),
	     public = import_one(c, &c->alice, "public", true);
	uuid ids[] = {private, public};
	for (size_t k = 0; k < 2; k++) {
		struct ref ref = ref_to(c, KIND_IMAGE, ids[k]);
		struct image_target target = {.image = ref};
		const struct image *image = NULL;
		engine_act_by_roles(&c->c, &c->alice);
		assert_false(engine_has_gone(&c->c, cloud_tables(c), KIND_IMAGE, &ref));
		cloud_ok(c, &c->alice, engine_delete_image, &target);
		engine_act_by_roles(&c->c, &c->alice);
		assert_true(engine_has_gone(&c->c, cloud_tables(c), KIND_IMAGE, &ref));
		assert_int_equal(engine_find_image(&c->c, cloud_tables(c), &ref, &image).code, ERR_NOT_FOUND);
		ctx_clear_problem(&c->c);
		engine_act_by_roles(&c->c, &c->bob);
		assert_int_equal(engine_has_gone(&c->c, cloud_tables(c), KIND_IMAGE, &ref), k == 1);
	}
	struct ref never = {.kind = KIND_IMAGE, .prefix = c->alice_router, .bits = 128};
	assert_false(engine_has_gone(&c->c, cloud_tables(c), KIND_IMAGE, &never));
}

/* A snapshot goes after the images that have it, and its row after the disks made from it. */
static void check_snapshot_end(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid instance = cloud_launch_one(c), volume = cloud_volume(c, instance)->row.id;
	struct snapshot_target target = {.snapshot = ref_to(c, KIND_SNAPSHOT, c->snapshot)};
	struct snapshot_forget forget = {.snapshot = c->snapshot};
	cloud_fails(c, &c->alice, engine_delete_snapshot, &target, ERR_NOT_FOUND, KIND_SNAPSHOT);
	cloud_fails(c, &c->operator, engine_delete_snapshot, &target, ERR_IN_USE, KIND_SNAPSHOT);
	struct image_target image = {.image = ref_to(c, KIND_IMAGE, c->image)};
	cloud_ok(c, &c->operator, engine_delete_image, &image);
	cloud_fails(c, NULL, engine_forget_snapshot, &forget, ERR_STATE, KIND_SNAPSHOT);
	cloud_ok(c, &c->operator, engine_delete_snapshot, &target);
	assert_int_equal(model_derive_snapshot_state(snapshot_find(t, c->snapshot)), SNAPSHOT_DELETING);
	cloud_fails(c, NULL, engine_forget_snapshot, &forget, ERR_IN_USE, KIND_SNAPSHOT);
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish end = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ABSENT);
	struct volume_report gone = {.volume = volume, .gen = volume_find(t, volume)->row.gen};
	cloud_ok(c, NULL, engine_see_volume, &gone);
	cloud_ok(c, NULL, engine_forget_volume, &gone);
	cloud_ok(c, NULL, engine_forget_snapshot, &forget);
	cloud_ok(c, NULL, engine_forget_snapshot, &forget);
	assert_null(snapshot_find(t, c->snapshot));
}

/* ---- by parts: first the image, then its data ---- */

static struct image_creation creation_of(const char *name)
{
	return (struct image_creation){.form = {.name = str_from(name),
						.visibility = IMAGE_VISIBLE_SHARED,
						.disk_format = STR("raw"),
						.container_format = STR("bare")}};
}

static struct image_filling filling_of(struct cloud *c, uuid image)
{
	return (struct image_filling){.image = ref_to(c, KIND_IMAGE, image),
				      .data_size = 5,
				      .md5 = STR("d5"),
				      .data_sha256 = STR("da"),
				      .sha512 = STR("d6"),
				      .sha256 = STR("f2"),
				      .file_size = 6,
				      .virtual_size = GIB + 1};
}

static void check_filled(void **state)
{
	struct cloud *c = *state;
	struct image_creation made = creation_of("debian");
	made.form.min_memory = 2 * GIB;
	cloud_ok(c, &c->alice, engine_create_image, &made);
	assert_int_equal(state_of(c, made.image), IMAGE_PENDING);
	cloud_ok(c, &c->alice, engine_create_image, &made); /* names may be shared, but by EC2's */
	struct instance_launch launch = cloud_launch(c, 1);
	launch.image = ref_to(c, KIND_IMAGE, made.image);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_STATE, KIND_IMAGE);
	struct image_filling filling = filling_of(c, made.image);
	cloud_fails(c, &c->bob, engine_fill_image, &filling, ERR_NOT_FOUND, KIND_IMAGE);
	cloud_ok(c, &c->alice, engine_fill_image, &filling);
	assert_int_equal(state_of(c, made.image), IMAGE_AVAILABLE);
	cloud_fails(c, &c->alice, engine_fill_image, &filling, ERR_STATE, KIND_IMAGE);
	const struct image_device *device = image_device_first_by_image(cloud_tables(c), made.image);
	assert_int_equal(device->size, 2 * GIB);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_COMBINATION, KIND_INSTANCE_TYPE);
	struct image_activation off = {.image = launch.image};
	cloud_ok(c, &c->alice, engine_activate_image, &off);
	assert_int_equal(state_of(c, made.image), IMAGE_DISABLED);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_STATE, KIND_IMAGE);
	struct image_target end = {.image = launch.image};
	uuid snapshot = device->snapshot;
	cloud_ok(c, &c->alice, engine_delete_image, &end);
	assert_int_equal(model_derive_snapshot_state(snapshot_find(cloud_tables(c), snapshot)),
			 SNAPSHOT_DELETING);
}

static void check_fetched(void **state)
{
	struct cloud *c = *state;
	struct image_creation made = creation_of("web");
	cloud_ok(c, &c->alice, engine_create_image, &made);
	struct image_fetching fetch = {.image = ref_to(c, KIND_IMAGE, made.image),
				       .url = STR("file:///etc/x")};
	cloud_fails(c, &c->alice, engine_fetch_image, &fetch, ERR_INVALID, KIND_IMAGE);
	fetch.url = STR("http://203.0.113.5/x");
	cloud_ok(c, &c->alice, engine_fetch_image, &fetch);
	cloud_fails(c, &c->alice, engine_fetch_image, &fetch, ERR_STATE, KIND_IMAGE);
	struct image_filling filling = filling_of(c, made.image);
	cloud_fails(c, &c->alice, engine_fill_image, &filling, ERR_STATE, KIND_IMAGE); /* during an upload */
	uint64_t gen = image_find(cloud_tables(c), made.image)->row.gen;
	struct image_failing failing = {.image = made.image, .gen = gen, .problem = STR("404")};
	cloud_ok(c, NULL, engine_fail_image, &failing);
	assert_non_null(cloud_condition(c, made.image, "NotFetched"));
	filling.gen = gen; /* what was fetched for a wish that is over */
	cloud_ok(c, NULL, engine_fill_image, &filling);
	assert_int_equal(state_of(c, made.image), IMAGE_PENDING);
	cloud_ok(c, &c->alice, engine_fetch_image, &fetch);
	assert_null(cloud_condition(c, made.image, "NotFetched"));
	filling.gen = image_find(cloud_tables(c), made.image)->row.gen;
	cloud_ok(c, NULL, engine_fill_image, &filling);
	assert_int_equal(state_of(c, made.image), IMAGE_AVAILABLE);
}

/* Staged data wait, keep others out, and go when they prove to be no disk. */
static void check_staged(void **state)
{
	struct cloud *c = *state;
	struct image_creation made = creation_of("staged");
	cloud_ok(c, &c->alice, engine_create_image, &made);
	struct image_importing use = {.image = ref_to(c, KIND_IMAGE, made.image)};
	cloud_fails(c, &c->alice, engine_use_staged_image, &use, ERR_STATE, KIND_IMAGE);
	struct image_staging staging = {
		.image = use.image, .data_size = 7, .md5 = STR("m"), .sha256 = STR("s"), .sha512 = STR("l")};
	cloud_fails(c, &c->bob, engine_stage_image, &staging, ERR_NOT_FOUND, KIND_IMAGE);
	cloud_ok(c, &c->alice, engine_stage_image, &staging);
	cloud_fails(c, &c->alice, engine_stage_image, &staging, ERR_STATE, KIND_IMAGE);
	struct image_filling filling = filling_of(c, made.image);
	cloud_fails(c, &c->alice, engine_fill_image, &filling, ERR_STATE, KIND_IMAGE);
	filling.gen = image_find(cloud_tables(c), made.image)->row.gen; /* without a request */
	cloud_ok(c, NULL, engine_fill_image, &filling);
	assert_int_equal(state_of(c, made.image), IMAGE_PENDING);
	cloud_ok(c, &c->alice, engine_use_staged_image, &use);
	cloud_fails(c, &c->alice, engine_use_staged_image, &use, ERR_STATE, KIND_IMAGE);
	struct image_failing failing = {.image = made.image,
					.gen = image_find(cloud_tables(c), made.image)->row.gen,
					.problem = STR("no disk")};
	cloud_ok(c, NULL, engine_fail_image, &failing);
	assert_int_equal(image_find(cloud_tables(c), made.image)->data_size, 0);
	cloud_ok(c, &c->alice, engine_stage_image, &staging);
	cloud_ok(c, &c->alice, engine_use_staged_image, &use);
	filling.gen = image_find(cloud_tables(c), made.image)->row.gen;
	cloud_ok(c, NULL, engine_fill_image, &filling);
	assert_int_equal(state_of(c, made.image), IMAGE_AVAILABLE);
	assert_false(image_find(cloud_tables(c), made.image)->is_imported);
}

static void check_form(void **state)
{
	struct cloud *c = *state;
	struct image_creation made = creation_of("form");
	made.form.disk_format = STR("ami");
	cloud_fails(c, &c->alice, engine_create_image, &made, ERR_INVALID, KIND_IMAGE);
	made.form.disk_format = STR_NONE;
	cloud_ok(c, &c->alice, engine_create_image, &made);
	made.id = made.image;
	cloud_fails(c, &c->alice, engine_create_image, &made, ERR_EXISTS, KIND_IMAGE);
	const struct image *image = image_find(cloud_tables(c), made.image);
	assert_int_equal(engine_check_image_takes_data(&c->c, cloud_tables(c), image).code, ERR_MISSING);
	struct image_rewriting change = {.image = ref_to(c, KIND_IMAGE, made.image),
					 .gen = image->row.gen,
					 .form = engine_image_form(image)};
	static const struct tag properties[] = {{{"os_type", 7}, {"linux", 5}}, {{"a", 1}, {"b", 1}}};
	static const struct str labels[] = {{"x", 1}, {"y", 1}, {"x", 1}};
	change.form.properties = (struct tags){properties, 2};
	change.form.labels = (struct strs){labels, 3};
	change.form.is_protected = true;
	change.form.visibility = IMAGE_VISIBLE_COMMUNITY;
	cloud_fails(c, &c->bob, engine_rewrite_image, &change, ERR_NOT_FOUND, KIND_IMAGE);
	cloud_ok(c, &c->alice, engine_rewrite_image, &change);
	image = image_find(cloud_tables(c), made.image);
	assert_true(str_is(image->properties.at[0].key, "a"));
	assert_int_equal(image->labels.count, 2);
	assert_int_equal(engine_image_visibility(image), IMAGE_VISIBLE_COMMUNITY);
	change.form = engine_image_form(image); /* the row of before is gone, and its texts */
	cloud_fails(c, &c->alice, engine_rewrite_image, &change, ERR_CONFLICT, KIND_IMAGE); /* an old look */
	struct image_target end = {.image = change.image};
	cloud_fails(c, &c->alice, engine_delete_image, &end, ERR_PROTECTED, KIND_IMAGE);
	change.gen = image->row.gen;
	change.form.tpm = true;
	cloud_fails(c, &c->alice, engine_rewrite_image, &change, ERR_COMBINATION, KIND_IMAGE);
}

static struct image_rewriting giving(struct cloud *c, uuid id, uuid owner)
{
	const struct image *image = image_find(cloud_tables(c), id);
	return (struct image_rewriting){.image = ref_to(c, KIND_IMAGE, id),
					.gen = image->row.gen,
					.form = engine_image_form(image),
					.owner = ref_to(c, KIND_ACCOUNT, owner)};
}

/* To another owner go the snapshots that keep its disks; not from an owner who has these by themselves. */
static void check_given(void **state)
{
	struct cloud *c = *state;
	struct image_creation made = creation_of("given");
	cloud_ok(c, &c->alice, engine_create_image, &made);
	struct image_filling filling = filling_of(c, made.image);
	cloud_ok(c, &c->alice, engine_fill_image, &filling);
	struct image_rewriting change = giving(c, made.image, c->bob.account);
	cloud_fails(c, &c->alice, engine_rewrite_image, &change, ERR_DENIED, KIND_ACCOUNT);
	struct account_limits limits = account_limits_all(change.owner, ACCOUNT_LIMIT_KEEP);
	limits.images = 0;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	cloud_fails(c, &c->operator, engine_rewrite_image, &change, ERR_QUOTA, KIND_IMAGE);
	limits.images = -1;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	cloud_ok(c, &c->operator, engine_rewrite_image, &change);
	assert_true(uuid_equal(image_find(cloud_tables(c), made.image)->account, c->bob.account));
	const struct image_device *d = image_device_first_by_image(cloud_tables(c), made.image);
	assert_true(uuid_equal(snapshot_find(cloud_tables(c), d->snapshot)->account, c->bob.account));
	change = giving(c, import_one(c, &c->alice, "imported", false), c->bob.account);
	cloud_fails(c, &c->operator, engine_rewrite_image, &change, ERR_STATE, KIND_IMAGE);
}

static void check_members(void **state)
{
	struct cloud *c = *state;
	uuid image = import_one(c, &c->alice, "shared", false);
	struct image_answering answer = {.image = ref_to(c, KIND_IMAGE, image),
					 .answer = IMAGE_ANSWER_ACCEPTED};
	cloud_fails(c, &c->bob, engine_answer_image, &answer, ERR_NOT_FOUND, KIND_IMAGE);
	struct ref bob = {.kind = KIND_ACCOUNT, .prefix = c->bob.account, .bits = 128};
	struct image_settings share = {.image = answer.image, .sharing.add = {&bob, 1}};
	cloud_ok(c, &c->alice, engine_update_image, &share);
	cloud_ok(c, &c->bob, engine_answer_image, &answer);
	assert_int_equal(engine_image_answer(image_find(cloud_tables(c), image), c->bob.account),
			 IMAGE_ANSWER_ACCEPTED);
	answer.answer = IMAGE_ANSWER_REJECTED;
	cloud_ok(c, &c->bob, engine_answer_image, &answer);
	assert_int_equal(image_find(cloud_tables(c), image)->accepted_by.count, 0);
	/* Shared or unshared by another request meanwhile. */
	share.is_exact = true;
	cloud_fails(c, &c->alice, engine_update_image, &share, ERR_EXISTS, KIND_ACCOUNT);
	struct ref bob_by_number = {.kind = KIND_ACCOUNT, .text = c->bob.account_number};
	share.sharing.add.at = &bob_by_number;
	cloud_fails(c, &c->alice, engine_update_image, &share, ERR_EXISTS, KIND_ACCOUNT);
	share = (struct image_settings){.image = answer.image, .sharing.remove = {&bob, 1}};
	cloud_ok(c, &c->alice, engine_update_image, &share);
	assert_int_equal(image_find(cloud_tables(c), image)->rejected_by.count, 0);
	cloud_fails(c, &c->bob, engine_answer_image, &answer, ERR_NOT_FOUND, KIND_IMAGE);
	cloud_ok(c, &c->alice, engine_update_image, &share); /* nothing to remove */
	share.is_exact = true;
	cloud_fails(c, &c->alice, engine_update_image, &share, ERR_NOT_FOUND, KIND_ACCOUNT);
}

/* Limits of a name, a file without a size, and a TPM of a machine that boots by BIOS. */
static void check_limits(void **state)
{
	struct cloud *c = *state;
	char name[257];
	memset(name, 'n', sizeof name - 1);
	name[256] = 0;
	struct image_import wish = import_of(name, false);
	cloud_fails(c, &c->alice, engine_import_image, &wish, ERR_INVALID, KIND_IMAGE);
	wish.name.n = 255;
	cloud_ok(c, &c->alice, engine_import_image, &wish);
	wish = import_of("x\x01", false);
	cloud_fails(c, &c->alice, engine_import_image, &wish, ERR_INVALID, KIND_IMAGE);
	wish = import_of("empty", false);
	wish.virtual_size = 0;
	cloud_fails(c, &c->alice, engine_import_image, &wish, ERR_MISSING, KIND_IMAGE);
	struct image_wish tpm = {.name = STR("tpm"), .boot_mode = IMAGE_BOOT_MODE_LEGACY_BIOS, .tpm = true};
	cloud_fails(c, &c->alice, engine_register_image, &tpm, ERR_COMBINATION, KIND_IMAGE);
}

/* A deactivated image is not copied. Deactivating it again changes nothing, unless that also ends sharing. */
static void check_deactivated(void **state)
{
	struct cloud *c = *state;
	uuid image = import_one(c, &c->alice, "shown", true);
	struct image_activation off = {.image = ref_to(c, KIND_IMAGE, image)};
	struct image_copying copy = {.source = off.image, .name = STR("copy")};
	cloud_ok(c, &c->alice, engine_activate_image, &off);
	assert_int_equal(state_of(c, image), IMAGE_DISABLED);
	cloud_fails(c, &c->alice, engine_copy_image, &copy, ERR_STATE, KIND_IMAGE);
	uint64_t gen = image_find(cloud_tables(c), image)->row.gen;
	cloud_ok(c, &c->alice, engine_activate_image, &off);
	assert_true(image_find(cloud_tables(c), image)->row.gen == gen);
	assert_true(image_find(cloud_tables(c), image)->is_public);
	off.unshares = true;
	cloud_ok(c, &c->alice, engine_activate_image, &off);
	assert_false(image_find(cloud_tables(c), image)->is_public);
	off.is_active = true;
	cloud_ok(c, &c->alice, engine_activate_image, &off);
	cloud_ok(c, &c->alice, engine_copy_image, &copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_import, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_machine, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_visibility, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_filled, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_fetched, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_staged, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_form, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_given, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_members, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_deactivated, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_forget, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_gone, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_snapshot_end, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
