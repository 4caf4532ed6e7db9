/* SPDX-License-Identifier: Apache-2.0
 * Volumes: creation and placement, attachment, modification, deletion. */
#include <stdio.h>

#include "cloud.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/account.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/image.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_type.h"
#include "store/volume_type_limit.h"

#include "engine/people/account/account.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume_type/volume_type.h"
#include "engine/storage/volume_type/volume_type_limit.h"

static const struct volume *find_volume(const struct cloud *c, uuid id)
{
	return volume_find(cloud_tables(c), id);
}

static struct volume_wish wish_of(int64_t size)
{
	return (struct volume_wish){.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				    .disk = {.size = size, .type = STR("gp3"), .field = STR("Size")}};
}

static void see_disk(struct cloud *c, uuid id)
{
	const struct volume *v = find_volume(c, id);
	struct volume_report report = {.volume = id, .gen = v->row.gen, .host = v->host, .size = v->size};
	cloud_ok(c, NULL, engine_see_volume, &report);
}

static uuid create_seen(struct cloud *c, int64_t size)
{
	struct volume_wish wish = wish_of(size);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	see_disk(c, wish.volume);
	return wish.volume;
}

static int64_t disk_used(const struct cloud *c, uuid host)
{
	return host_usage(host_find(cloud_tables(c), host))->disk;
}

/* An instance of the first zone, running. */
static uuid launch(struct cloud *c)
{
	struct instance_launch wish = cloud_launch(c, 1);
	wish.zone = ref_named(KIND_ZONE, "xy-west-2a");
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	cloud_see(c, wish.made.at[0], INSTANCE_SEEN_POWER_ON);
	return wish.made.at[0];
}

static struct volume_attaching attaching(struct cloud *c, uuid volume, uuid instance, const char *device)
{
	return (struct volume_attaching){.volume = ref_to(c, KIND_VOLUME, volume),
					 .instance = ref_to(c, KIND_INSTANCE, instance),
					 .device = str_from(device)};
}

/* Reports these volumes as plugged. */
static void see_plugged(struct cloud *c, uuid instance, const uuid *volumes, size_t count)
{
	struct instance_report report = {.instance = instance,
					 .gen = cloud_instance(c, instance)->row.gen,
					 .power = INSTANCE_SEEN_POWER_ON,
					 .devices_known = true,
					 .volumes = {volumes, count}};
	cloud_ok(c, NULL, engine_see_instance, &report);
}

static enum attachment attachment_of(const struct cloud *c, uuid volume)
{
	const struct volume *v = find_volume(c, volume);
	return model_derive_attachment(v->instance, v->seen_instance);
}

static void check_create(void **state)
{
	struct cloud *c = *state;
	struct volume_wish wish = wish_of(5 * GIB);
	wish.client_token = STR("once");
	wish.digest = STR("a");
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	uuid first = wish.volume;
	const struct volume *v = find_volume(c, first);
	assert_true(v->size == 5 * GIB && uuid_is_none(v->snapshot) && uuid_is_none(v->instance));
	assert_true(uuid_equal(host_find(cloud_tables(c), v->host)->zone, v->zone));
	assert_int_equal(disk_used(c, v->host), 5 * GIB);
	assert_int_equal(model_derive_volume_state(v), VOLUME_CREATING);
	assert_int_equal(cloud_usage(c, first, "volume:gp3"), 5 * GIB);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	assert_true(uuid_equal(wish.volume, first));
	wish.digest = STR("b");
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CONFLICT, KIND_CLIENT_TOKEN);
	wish = wish_of(0); /* the snapshot's */
	wish.disk.snapshot = ref_to(c, KIND_SNAPSHOT, c->snapshot);
	cloud_ok(c, &c->bob, engine_create_volume, &wish);
	assert_int_equal(find_volume(c, wish.volume)->size, 2 * GIB);
	wish.disk.size = GIB;
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_INVALID, KIND_VOLUME);
	wish = wish_of(0);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_MISSING, KIND_VOLUME);
	wish = wish_of(300 * GIB); /* hosts have 200 */
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.volume_bytes = 9 * GIB;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	wish = wish_of(5 * GIB);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_QUOTA, KIND_VOLUME);
}

/* The figures of each type, at and beyond its limits. */
static void check_types(void **state)
{
	struct cloud *c = *state;
	static const struct {
		const char *type;
		int64_t gib, iops, throughput;
		enum err err;
	} rows[] = {
		{"gp2", 1, 0, 0, ERR_NONE},
		{"gp2", 1, 100, 0, ERR_COMBINATION},
		{"gp2", 1, 0, 125, ERR_COMBINATION},
		{"gp3", 1, 3000, 750, ERR_NONE},
		{"gp3", 1, 3001, 0, ERR_INVALID},
		{"gp3", 10, 5000, 1000, ERR_NONE},
		{"gp3", 10, 5001, 0, ERR_INVALID},
		{"gp3", 10, 0, 751, ERR_INVALID},
		{"gp3", 10, 2999, 0, ERR_INVALID},
		{"gp3", 40, 16001, 0, ERR_INVALID},
		{"io1", 4, 200, 0, ERR_NONE},
		{"io1", 3, 100, 0, ERR_INVALID},
		{"io1", 4, 201, 0, ERR_INVALID},
		{"io1", 4, 0, 0, ERR_MISSING},
		{"io2", 4, 2000, 0, ERR_NONE},
		{"io2", 4, 2001, 0, ERR_INVALID},
		{"st1", 125, 0, 0, ERR_NONE},
		{"sc1", 124, 0, 0, ERR_INVALID},
		{"standard", 1025, 0, 0, ERR_INVALID},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct volume_wish wish = wish_of(rows[n].gib * GIB);
		wish.disk.type = str_from(rows[n].type);
		wish.disk.iops = rows[n].iops;
		wish.disk.throughput = rows[n].throughput;
		cloud_expect(c, cloud_run(c, &c->alice, engine_create_volume_run, &wish), rows[n].err,
			     rows[n].err ? KIND_VOLUME : KIND_NONE);
	}
	struct volume small = {.size = 10 * GIB, .type = STR("gp2")}, large = small, gp3 = small;
	large.size = 6000 * GIB;
	gp3.type = STR("gp3");
	assert_int_equal(engine_volume_iops(&small), 100);
	assert_int_equal(engine_volume_iops(&large), 16000);
	assert_int_equal(engine_volume_iops(&gp3), 3000);
	assert_int_equal(engine_volume_throughput(&gp3), 125);
	assert_int_equal(engine_volume_throughput(&small), 0);
}

/* Attached, its disk follows the instance; it takes room on both hosts until it has moved. */
static void check_attach(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, 5 * GIB), instance = launch(c);
	uuid home = find_volume(c, volume)->host;
	while (uuid_equal(cloud_instance(c, instance)->host, home))
		instance = launch(c); /* on another host */
	uuid there = cloud_instance(c, instance)->host;
	int64_t used_there = disk_used(c, there), used_home = disk_used(c, home);
	uint64_t gen = find_volume(c, volume)->row.gen;
	struct volume_attaching wish = attaching(c, volume, instance, "/dev/sdf");
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	const struct volume *v = find_volume(c, volume);
	assert_true(uuid_equal(v->host, there) && uuid_equal(v->seen_host, home) && v->row.gen == gen + 1);
	assert_int_equal(v->device_slot, 1);
	assert_int_equal(attachment_of(c, volume), ATTACHMENT_ATTACHING);
	assert_int_equal(model_derive_volume_state(v), VOLUME_IN_USE);
	assert_int_equal(disk_used(c, there), used_there + 5 * GIB);
	assert_int_equal(disk_used(c, home), used_home);
	see_disk(c, volume); /* it moved */
	assert_int_equal(disk_used(c, home), used_home - 5 * GIB);
	uuid plugged[] = {cloud_volume(c, instance)->row.id, volume};
	see_plugged(c, instance, plugged, 2);
	assert_int_equal(attachment_of(c, volume), ATTACHMENT_ATTACHED);
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_IN_USE, KIND_VOLUME);
	struct volume_target target = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_fails(c, &c->alice, engine_delete_volume, &target, ERR_IN_USE, KIND_VOLUME);

	struct volume_detaching detach = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_detach_volume, &detach);
	assert_int_equal(detach.now, ATTACHMENT_DETACHING);
	assert_true(uuid_equal(detach.from, instance) && str_is(detach.from_device, "/dev/sdf"));
	cloud_fails(c, &c->alice, engine_detach_volume, &detach, ERR_STATE, KIND_VOLUME);
	cloud_fails(c, &c->alice, engine_delete_volume, &target, ERR_IN_USE, KIND_VOLUME);
	/* Until the guest releases the disk, its device name and slot are taken. */
	uuid second = create_seen(c, GIB);
	struct volume_attaching other = attaching(c, second, instance, "/dev/sdf");
	cloud_fails(c, &c->alice, engine_attach_volume, &other, ERR_INVALID, KIND_VOLUME);
	other.device = STR("/dev/sdg");
	cloud_ok(c, &c->alice, engine_attach_volume, &other);
	assert_int_equal(find_volume(c, second)->device_slot, 2);
	struct volume_attaching unnamed = {.volume = ref_to(c, KIND_VOLUME, create_seen(c, GIB)),
					   .instance = other.instance};
	cloud_ok(c, &c->alice, engine_attach_volume, &unnamed);
	assert_true(str_starts_with(find_volume(c, unnamed.attached_volume)->device, STR("/dev/vd")));
	detach.force = true;
	cloud_ok(c, &c->alice, engine_detach_volume, &detach);
	assert_true(find_volume(c, volume)->force_detach);
	see_plugged(c, instance, plugged, 1);
	v = find_volume(c, volume);
	assert_int_equal(model_derive_volume_state(v), VOLUME_AVAILABLE);
	assert_true(str_is_empty(v->device) && v->device_slot == 0 && !v->force_detach);
	cloud_ok(c, &c->alice, engine_delete_volume, &target);
}

static void check_attach_refused(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), instance = launch(c);
	struct volume_attaching wish = attaching(c, volume, instance, "/dev/xvda");
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_INVALID, KIND_VOLUME); /* the root's */
	wish.device = STR("F");
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_INVALID, KIND_VOLUME);
	wish.device = STR("/dev/sdf");
	cloud_fails(c, &c->bob, engine_attach_volume, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	struct volume_wish elsewhere = wish_of(GIB), unseen = wish_of(GIB);
	elsewhere.zone = ref_named(KIND_ZONE, "xy-west-2b");
	cloud_ok(c, &c->alice, engine_create_volume, &elsewhere);
	see_disk(c, elsewhere.volume);
	cloud_ok(c, &c->alice, engine_create_volume, &unseen);
	wish.volume = ref_to(c, KIND_VOLUME, elsewhere.volume);
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_COMBINATION, KIND_VOLUME);
	wish.crosses_zones = true;
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	const struct volume *v = find_volume(c, elsewhere.volume);
	assert_true(uuid_equal(v->zone, cloud_instance(c, instance)->zone));
	assert_true(uuid_equal(v->host, cloud_instance(c, instance)->host));
	struct volume_detaching detach = {.volume = wish.volume};
	cloud_ok(c, &c->alice, engine_detach_volume, &detach);
	wish = attaching(c, unseen.volume, instance, "/dev/sdf");
	wish.volume = ref_to(c, KIND_VOLUME, unseen.volume);
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_STATE, KIND_VOLUME);
	for (int n = 1; n < INSTANCE_VOLUMES_MAX; n++) {
		wish = attaching(c, create_seen(c, GIB), instance,
				 str_to_z(c->arena, str_print(c->arena, "/dev/xvdb%c", 'a' + n)));
		cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	}
	wish = attaching(c, volume, instance, "/dev/sdf");
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_QUOTA, KIND_VOLUME);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_OFF); /* pending again */
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_STATE, KIND_VOLUME);
}

/* The root disk comes off a stopped instance only, and goes back as the root disk. */
static void check_root(void **state)
{
	struct cloud *c = *state;
	uuid instance = launch(c), root = cloud_volume(c, instance)->row.id;
	see_disk(c, root);
	see_plugged(c, instance, &root, 1);
	struct volume_detaching detach = {.volume = ref_to(c, KIND_VOLUME, root)};
	cloud_fails(c, &c->alice, engine_detach_volume, &detach, ERR_PROTECTED, KIND_VOLUME);
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish stop = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_stop_instances, &stop);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_OFF);
	detach.device = STR("/dev/sdz");
	cloud_fails(c, &c->alice, engine_detach_volume, &detach, ERR_NOT_FOUND, KIND_VOLUME);
	detach.device = STR("/dev/xvda");
	detach.instance = ref_to(c, KIND_INSTANCE, launch(c));
	cloud_fails(c, &c->alice, engine_detach_volume, &detach, ERR_NOT_FOUND, KIND_VOLUME);
	detach.instance = ref;
	cloud_ok(c, &c->alice, engine_detach_volume, &detach);
	struct instance_report none = {.instance = instance,
				       .gen = cloud_instance(c, instance)->row.gen,
				       .power = INSTANCE_SEEN_POWER_OFF,
				       .devices_known = true};
	cloud_ok(c, NULL, engine_see_instance, &none);
	assert_int_equal(attachment_of(c, root), ATTACHMENT_NONE);
	struct volume_attaching back = attaching(c, root, instance, "/dev/xvda");
	cloud_ok(c, &c->alice, engine_attach_volume, &back);
	assert_int_equal(find_volume(c, root)->device_slot, 0);
	assert_false(find_volume(c, root)->delete_on_termination);
	/* The end of the instance frees it. */
	cloud_ok(c, &c->alice, engine_terminate_instances, &stop);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ABSENT);
	assert_int_equal(model_derive_volume_state(find_volume(c, root)), VOLUME_AVAILABLE);
}

static void check_modify(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, 5 * GIB);
	struct volume_modifying wish = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_fails(c, &c->alice, engine_modify_volume, &wish, ERR_MISSING, KIND_VOLUME);
	wish.size = 4 * GIB;
	cloud_fails(c, &c->alice, engine_modify_volume, &wish, ERR_INVALID, KIND_VOLUME);
	wish.size = 300 * GIB;
	cloud_fails(c, &c->alice, engine_modify_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	wish.size = 8 * GIB;
	wish.type = STR("io1");
	cloud_fails(c, &c->alice, engine_modify_volume, &wish, ERR_INVALID, KIND_VOLUME); /* 3,000 of 8 GiB */
	wish.iops = 400;
	cloud_ok(c, &c->alice, engine_modify_volume, &wish);
	const struct volume *v = find_volume(c, volume);
	assert_true(v->size == 8 * GIB && v->before_size == 5 * GIB && str_is(v->before_type, "gp3"));
	assert_true(v->modified_us && !v->modified_end_us);
	assert_int_equal(cloud_usage(c, volume, "volume:gp3"), 0);
	assert_int_equal(cloud_usage(c, volume, "volume:io1"), 8 * GIB);
	cloud_fails(c, &c->alice, engine_modify_volume, &wish, ERR_CONFLICT, KIND_VOLUME);
	clock_advance_us(SECOND);
	see_disk(c, volume);
	assert_int_equal(find_volume(c, volume)->modified_end_us, clock_now_us());
	wish = (struct volume_modifying){.volume = wish.volume, .type = STR("gp3")};
	cloud_ok(c, &c->alice, engine_modify_volume, &wish); /* nothing to wait for */
	v = find_volume(c, volume);
	assert_true(v->modified_end_us == v->modified_us && v->iops == 0);
}

/* ---- contents ---- */

static uuid first_of(struct cloud *c, uuid volume, enum snapshot_state state)
{
	const struct snapshot *s = snapshot_first_by_volume(cloud_tables(c), volume);
	assert_non_null(s);
	assert_int_equal(model_derive_snapshot_state(s), state);
	return s->row.id;
}

static void keep(struct cloud *c, uuid snapshot)
{
	struct snapshot_report report = {.snapshot = snapshot,
					 .gen = 1,
					 .stage = SNAPSHOT_SEEN_STAGE_KEPT,
					 .progress = 100,
					 .sha256 = STR("cc"),
					 .file_size = 7};
	cloud_ok(c, NULL, engine_see_snapshot, &report);
}

static void check_of_image(void **state)
{
	struct cloud *c = *state;
	struct volume_wish wish = wish_of(0);
	wish.disk.image = ref_to(c, KIND_IMAGE, c->image);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	const struct volume *v = find_volume(c, wish.volume);
	assert_true(v->size == 2 * GIB && v->is_bootable && uuid_equal(v->image, c->image));
	assert_true(uuid_equal(v->snapshot, c->snapshot));
	wish.disk.size = GIB; /* less than its content */
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_INVALID, KIND_VOLUME);
	wish.disk.image = ref_to(c, KIND_IMAGE, wish.volume);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_NOT_FOUND, KIND_IMAGE);
}

/* By way of a snapshot, which goes when the copy has what it needs of it. */
static void check_copy(void **state)
{
	struct cloud *c = *state;
	uuid source = create_seen(c, 3 * GIB);
	struct volume_wish wish = wish_of(0);
	wish.disk.copied = ref_to(c, KIND_VOLUME, source);
	cloud_fails(c, &c->bob, engine_create_volume, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	assert_int_equal(find_volume(c, wish.volume)->size, 3 * GIB);
	uuid between = first_of(c, source, SNAPSHOT_PENDING);
	assert_true(uuid_equal(find_volume(c, wish.volume)->snapshot, between));
	struct volume_target end = {.volume = wish.disk.copied, .snapshots = VOLUME_SNAPSHOTS_GO};
	cloud_fails(c, &c->alice, engine_delete_volume, &end, ERR_STATE, KIND_VOLUME);
	keep(c, between);
	(void) first_of(c, source, SNAPSHOT_DELETING);
	cloud_ok(c, &c->alice, engine_delete_volume, &end);
}

static void check_uploaded(void **state)
{
	struct cloud *c = *state;
	uuid source = create_seen(c, 3 * GIB);
	struct volume_capture wish = {.volume = ref_to(c, KIND_VOLUME, source),
				      .form.name = STR("of a volume")};
	cloud_ok(c, &c->alice, engine_capture_volume, &wish);
	const struct tables *t = cloud_tables(c);
	assert_int_equal(engine_derive_image_state(t, image_find(t, wish.image)), IMAGE_PENDING);
	uuid snapshot = first_of(c, source, SNAPSHOT_PENDING);
	keep(c, snapshot);
	assert_int_equal(engine_derive_image_state(t, image_find(t, wish.image)), IMAGE_AVAILABLE);
	struct volume_target end = {.volume = wish.volume, .snapshots = VOLUME_SNAPSHOTS_GO};
	cloud_ok(c, &c->alice, engine_delete_volume, &end);
	(void) first_of(c, source, SNAPSHOT_COMPLETED); /* the image has it */
	struct image_target image = {.image = ref_to(c, KIND_IMAGE, wish.image)};
	cloud_ok(c, &c->alice, engine_delete_image, &image);
	(void) first_of(c, source, SNAPSHOT_DELETING);
}

/* Attached after the caller's check: copied only if the request permits attached volumes. */
static void check_copied_while_attached(void **state)
{
	struct cloud *c = *state;
	uuid instance = cloud_launch_one(c), volume = create_seen(c, GIB);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	struct volume_attaching attach = {.volume = ref_to(c, KIND_VOLUME, volume),
					  .instance = ref_to(c, KIND_INSTANCE, instance)};
	cloud_ok(c, &c->alice, engine_attach_volume, &attach);
	struct volume_capture capture = {.volume = attach.volume, .form.name = STR("of a volume")};
	cloud_fails(c, &c->alice, engine_capture_volume, &capture, ERR_STATE, KIND_VOLUME);
	capture.also_attached = true;
	cloud_ok(c, &c->alice, engine_capture_volume, &capture);
	struct snapshot_wish snapshot = {.volume = attach.volume, .only_free = true};
	cloud_fails(c, &c->alice, engine_create_snapshot, &snapshot, ERR_IN_USE, KIND_VOLUME);
	snapshot.only_free = false;
	cloud_ok(c, &c->alice, engine_create_snapshot, &snapshot);
}

static void check_said(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB);
	struct volume_settings wish = {.volume = ref_to(c, KIND_VOLUME, volume),
				       .set_name = true,
				       .name = STR("name"),
				       .is_bootable = CHOICE_YES};
	cloud_fails(c, &c->bob, engine_update_volume, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	cloud_ok(c, &c->alice, engine_update_volume, &wish);
	assert_true(str_is(find_volume(c, volume)->name, "name") && find_volume(c, volume)->is_bootable);
	wish.name = STR("\x01");
	cloud_fails(c, &c->alice, engine_update_volume, &wish, ERR_INVALID, KIND_VOLUME);
}

/* A disk that is there already, or an image's content by itself. */
static void check_started_from(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, 3 * GIB);
	struct instance_launch wish = cloud_launch(c, 1);
	struct disk_wish disk = {.device = STR("/dev/vda"), .existing = ref_to(c, KIND_VOLUME, volume)};
	wish.zone = ref_named(KIND_ZONE, "xy-west-2a");
	wish.image = (struct ref){0};
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_MISSING, KIND_IMAGE);
	wish.disks = &disk;
	wish.disk_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_MISSING, KIND_IMAGE); /* blank */
	struct volume_settings bootable = {.volume = disk.existing, .is_bootable = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_volume, &bootable);
	wish.max_count = 2;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_COMBINATION, KIND_VOLUME);
	wish.max_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	const struct volume *v = find_volume(c, volume);
	assert_true(uuid_equal(v->instance, wish.made.at[0]) && v->device_slot == 0);
	assert_false(v->delete_on_termination);
	assert_true(uuid_equal(v->host, cloud_instance(c, wish.made.at[0])->host));
	assert_true(uuid_is_none(cloud_instance(c, wish.made.at[0])->image));
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_IN_USE, KIND_VOLUME);
	disk = (struct disk_wish){.device = STR("/dev/vda"), .image = ref_to(c, KIND_IMAGE, c->image)};
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_true(uuid_equal(cloud_volume(c, wish.made.at[0])->snapshot, c->snapshot));
}

static void check_named_types(void **state)
{
	struct cloud *c = *state;
	struct volume_type_wish type = {.name = STR("fast"), .is_public = CHOICE_NO};
	struct volume_wish wish = wish_of(GIB);
	wish.disk.type = STR("fast");
	cloud_fails(c, &c->alice, engine_create_volume_type, &type, ERR_DENIED, KIND_VOLUME_TYPE);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_INVALID, KIND_VOLUME);
	cloud_ok(c, &c->operator, engine_create_volume_type, &type);
	cloud_fails(c, &c->operator, engine_create_volume_type, &type, ERR_EXISTS, KIND_VOLUME_TYPE);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_INVALID, KIND_VOLUME); /* not hers */
	type.type = ref_named(KIND_VOLUME_TYPE, "fast");
	type.add_user = (struct ref){.kind = KIND_ACCOUNT, .prefix = c->alice.account, .bits = 128};
	cloud_ok(c, &c->operator, engine_update_volume_type, &type);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	struct volume_type_target end = {.type = type.type};
	cloud_fails(c, &c->operator, engine_delete_volume_type, &end, ERR_IN_USE, KIND_VOLUME_TYPE);
	type.name = STR("faster");
	type.set_name = true;
	cloud_fails(c, &c->operator, engine_update_volume_type, &type, ERR_IN_USE, KIND_VOLUME_TYPE);
	end.type = ref_named(KIND_VOLUME_TYPE, "sc1");
	cloud_ok(c, &c->operator, engine_delete_volume_type, &end);
	end.type = ref_named(KIND_VOLUME_TYPE, "__DEFAULT__");
	cloud_fails(c, &c->operator, engine_delete_volume_type, &end, ERR_PROTECTED, KIND_VOLUME_TYPE);
}

static void check_chosen_device(void **state)
{
	struct cloud *c = *state;
	uuid volume = create_seen(c, GIB), instance = launch(c);
	struct volume_attaching wish = attaching(c, volume, instance, "");
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	assert_true(str_is(find_volume(c, volume)->device, "/dev/vdb"));
}

/* ---- limits of single types ---- */

static uuid type_of(const struct cloud *c, const char *name)
{
	return volume_type_find_by_name(cloud_tables(c), str_from(name))->row.id;
}

/* who NULL: for all accounts. */
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

static struct volume_wish wish_of_type(int64_t size, const char *type)
{
	return (struct volume_wish){.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				    .disk = {.size = size, .type = str_from(type), .field = STR("Size")}};
}

static uuid create_of_type(struct cloud *c, int64_t size, const char *type)
{
	struct volume_wish wish = wish_of_type(size, type);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	see_disk(c, wish.volume);
	return wish.volume;
}

static void check_one_type(void **state)
{
	struct cloud *c = *state;
	const int64_t keep = ACCOUNT_LIMIT_KEEP;
	struct volume_wish wish = wish_of_type(2 * GIB, "gp3");
	limit_type(c, &c->alice, "gp3", 2, 5 * GIB, keep);
	create_of_type(c, 2 * GIB, "gp3");
	create_of_type(c, 9 * GIB, "gp2"); /* another type's */
	wish.disk.size = 4 * GIB;
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_QUOTA, KIND_VOLUME);
	wish.disk.size = 3 * GIB;
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	wish.disk.size = GIB;
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_QUOTA, KIND_VOLUME);
	cloud_ok(c, &c->bob, engine_create_volume, &wish);
	struct volume_modifying retype = {.volume = ref_to(c, KIND_VOLUME, create_of_type(c, GIB, "gp2")),
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
	struct volume_wish wish = wish_of_type(GIB, "gp3");
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

/* A launch creates as many instances as the limit of their disks' volume type permits. */
static void check_launch_of_a_type(void **state)
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

static void check_snapshot_bytes(void **state)
{
	struct cloud *c = *state;
	struct account_limits limits =
		account_limits_all(ref_to(c, KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	struct snapshot_wish wish = {.volume = ref_to(c, KIND_VOLUME, create_of_type(c, 2 * GIB, "gp3"))};
	limits.volume_bytes = 3 * GIB;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	cloud_fails(c, &c->alice, engine_create_snapshot, &wish, ERR_QUOTA, KIND_SNAPSHOT);
	assert_int_equal(snapshot_bytes(c), 0);
	limits.volume_bytes = 4 * GIB;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	assert_int_equal(snapshot_bytes(c), 2 * GIB);
	struct volume_wish volume = wish_of_type(GIB, "gp3"); /* the snapshot has taken its room */
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
	struct volume_wish wish = wish_of_type(GIB, "far");
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	wish.keeps_unplaced = true;
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	const struct volume *v = find_volume(c, wish.volume);
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

/* Extra specs are compared like in Cinder's capabilities filter. */
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
		struct volume_wish wish = wish_of_type(GIB, name);
		if (rows[k].fits)
			cloud_ok(c, &c->alice, engine_create_volume, &wish);
		else
			cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_CAPACITY, KIND_VOLUME);
	}
}

/* A volume that is only on its way out is no reason to keep its account. */
static void check_going_with_its_account(void **state)
{
	struct cloud *c = *state;
	uuid id = create_seen(c, GIB);
	struct volume_target target = {.volume = ref_to(c, KIND_VOLUME, id)};
	struct account_target account = {.account = ref_to(c, KIND_ACCOUNT, c->alice.account)};
	assert_int_equal(cloud_run(c, NULL, engine_delete_account_run, &account).code, ERR_IN_USE);
	assert_true(str_contains(c->c.problem.message, STR("volumes (1)")));
	cloud_ok(c, &c->alice, engine_delete_volume, &target);
	assert_non_null(find_volume(c, id));
	assert_int_equal(cloud_run(c, NULL, engine_delete_account_run, &account).code, ERR_IN_USE);
	assert_true(str_contains(c->c.problem.message, STR("VPCs")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_create, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_types, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_attach, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_attach_refused, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_root, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_modify, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_of_image, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_copy, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_uploaded, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_copied_while_attached, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_said, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_started_from, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_named_types, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_chosen_device, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_one_type, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_every_account, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_type_gone, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_launch_of_a_type, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_snapshot_bytes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_unplaced, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_specs, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_going_with_its_account, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
