/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of volumes, and images: of instances, of snapshots, of other images. A snapshot created for an
 * image belongs to a device of the image: it is known by its volume until a listing shows its id. */
#include <stdio.h>

#include "simulation.h"

/* ---- snapshots ---- */

enum { PENDING_MAX = 5 }; /* of a volume */

static bool is_being_cut(const struct request *x, const struct thing *volume, size_t *ret_count)
{
	*ret_count = 0;
	EACH (&x->s->model, t, KIND_SNAPSHOT)
		*ret_count += t->to == volume && !t->is_complete;
	return *ret_count > 0;
}

void image_judge_cut(const struct request *x, const struct thing *volume, struct verdict *v)
{
	size_t pending = 0;
	doubt(v, request_word(x, "IncorrectState", "400")); /* it is being created */
	if (is_being_cut(x, volume, &pending) && pending >= PENDING_MAX)
		doubt(v, request_word(x, "ConcurrentSnapshotLimitExceeded", "413"));
}

static void judge_snapshot(const struct request *x, struct verdict *v)
{
	image_judge_cut(x, x->refs[0], v);
}

/* volume NULL: a copy. */
struct thing *image_add_snapshot(struct request *x, struct thing *volume, struct str id)
{
	struct thing *t = model_add(&x->s->model, KIND_SNAPSHOT, x->account, NULL, id);
	t->to = volume;
	t->encryption = volume ? volume->encryption : NOT_KNOWN_YET;
	return t;
}

static void apply_snapshot(struct request *x, struct str answer)
{
	struct str id = request_made(x, answer, "snapshotId", "snapshot/id");
	request_apply_tag(x, image_add_snapshot(x, x->refs[0], id));
}

static bool draw_of_instance(struct request *x)
{
	x->flag = random_below(3) == 0;
	if (x->flag)
		request_add(x, "InstanceSpecification.ExcludeBootVolume", "true");
	return server_is_alone(x, x->refs[0]);
}

static void judge_snapshots(const struct request *x, struct verdict *v)
{
	const struct thing *instance = x->refs[0];
	size_t others = 0;
	EACH (&x->s->model, t, KIND_VOLUME) {
		if (model_is_disk_of(t, instance))
			image_judge_cut(x, t, v);
		others += t->to == instance || (t->of == instance && t->is_spare);
	}
	if (instance->life == ENDING || (x->flag && others == 0))
		refuse_or_doubt(v, instance->life == LIVE, "IncorrectState");
}

/* May learn a root disk's id for the first time. */
static struct thing *find_volume(const struct request *x, struct thing *instance, struct str id)
{
	EACH (&x->s->model, t, KIND_VOLUME)
		if (str_is(id, t->id))
			return t;
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t->of == instance && !t->id[0] &&
		    t->life != GONE) /* it may be deleted with its instance */
			return t;
	return NULL;
}

static void apply_snapshots(struct request *x, struct str answer)
{
	struct str set = answer_at(answer, "snapshotSet"), item;
	size_t made = 0, known = !x->flag;
	EACH (&x->s->model, t, KIND_VOLUME)
		known += t->to == x->refs[0] || (model_is_disk_of(t, x->refs[0]) && t->is_spare);
	for (; answer_next_item(&set, &item); made++) {
		struct thing *volume = find_volume(x, x->refs[0], answer_at(item, "volumeId"));
		if (!volume || (x->flag && volume == model_root(&x->s->model, x->refs[0])))
			blame(x->s, "#%d: a snapshot of another volume", (int) x->serial);
		request_apply_tag(x, image_add_snapshot(x, volume, answer_at(item, "snapshotId")));
	}
	if (made > known || (made < known && !model_may_have_ended(x->refs[0])))
		blame(x->s, "#%d: %zu snapshots of %zu volumes", (int) x->serial, made, known);
}

static bool draw_region(struct request *x)
{
	request_add(x, "SourceRegion", "xy-west-2");
	return true;
}

static bool draw_copied(struct request *x)
{
	x->flag = random_below(2) == 0;
	if (x->flag)
		request_add(x, "Encrypted", "true");
	return draw_region(x);
}

/* source NULL: the operator's image. */
static enum encryption copied_encryption(const struct request *x, const struct thing *source)
{
	if (x->flag)
		return ENCRYPTED;
	return source ? model_encryption_of(source) : NOT_KNOWN_YET;
}

void image_judge_completed(const struct request *x, const struct thing *snapshot, struct verdict *v)
{
	if (!snapshot->is_complete)
		doubt(v, request_word(x, "IncorrectState", "400"));
}

static void judge_completed(const struct request *x, struct verdict *v)
{
	image_judge_completed(x, x->refs[0], v);
}

static void apply_copy_snapshot(struct request *x, struct str answer)
{
	struct thing *t = image_add_snapshot(x, NULL, answer_at(answer, "snapshotId"));
	t->gibibytes = x->refs[0]->gibibytes;
	t->encryption = copied_encryption(x, x->refs[0]);
	request_apply_tag(x, t);
}

void image_judge_delete_snapshot(const struct request *x, struct verdict *v)
{
	EACH (&x->s->model, t, KIND_IMAGE_DEVICE)
		if (t->to == x->refs[0])
			refuse(v, "InvalidSnapshot.InUse");
}

/* Cinder knows nothing of images: the account's own images keep the snapshot, which Cinder then no longer
 * shows. */
static void judge_leave_snapshot(const struct request *x, struct verdict *v)
{
	if (x->refs[0]->is_bound)
		refuse(v, "404");
	EACH (&x->s->model, t, KIND_IMAGE_DEVICE)
		if (t->to == x->refs[0] && t->account != x->refs[0]->account)
			refuse(v, "400");
}

static void apply_leave_snapshot(struct request *x, struct str answer)
{
	EACH (&x->s->model, t, KIND_IMAGE_DEVICE)
		if (t->to == x->refs[0]) {
			x->refs[0]->is_bound = true;
			return;
		}
	request_apply_end(x, answer);
}

/* ---- volumes from a snapshot ---- */

static bool draw_restored(struct request *x)
{
	request_add(x, "AvailabilityZone", "xy-west-2a");
	x->count = (int64_t) random_below(4);
	if (x->count)
		request_add(x, "Size", "%d", (int) x->count);
	return true;
}

static bool draw_os_restored(struct request *x)
{
	x->count = (int64_t) random_below(4);
	if (x->count)
		request_add(x, "size", "%d", (int) x->count);
	return true;
}

static void judge_restored(const struct request *x, struct verdict *v)
{
	const struct thing *snapshot = x->refs[0];
	judge_completed(x, v);
	if (x->count && (x->count < snapshot->gibibytes || !snapshot->gibibytes))
		refuse_or_doubt(v, snapshot->gibibytes, request_word(x, "InvalidParameterValue", "400"));
	if (x->s->hosts_shaken)
		doubt(v, request_word(x, "InsufficientVolumeCapacity", "409"));
}

static void apply_restored(struct request *x, struct str answer)
{
	struct str id = answer_at(answer, request_word(x, "volumeId", "volume/id"));
	struct thing *t = model_add(&x->s->model, KIND_VOLUME, x->account, NULL, id);
	t->gibibytes = x->count ? x->count : x->refs[0]->gibibytes;
	t->encryption = model_encryption_of(x->refs[0]);
	request_apply_tag(x, t);
}

/* ---- images ---- */

static struct thing *find_named(const struct request *x)
{
	EACH (&x->s->model, t, KIND_IMAGE)
		if (t->account == x->account && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static bool draw_name(struct request *x)
{
	snprintf(x->name, sizeof x->name, "image%d", (int) random_below(6));
	request_add(x, "Name", "%s", x->name);
	return true;
}

static void judge_name(const struct request *x, struct verdict *v)
{
	if (find_named(x))
		refuse(v, "InvalidAMIName.Duplicate");
}

static struct thing *add_image(struct request *x, struct str answer)
{
	struct thing *t = model_add(&x->s->model, KIND_IMAGE, x->account, NULL, answer_at(answer, "imageId"));
	snprintf(t->name, sizeof t->name, "%s", x->name);
	request_apply_tag(x, t);
	return t;
}

/* name: the device's; empty: the root device. */
void image_add_device(struct request *x, struct thing *image, const char *name, struct thing *snapshot,
		      int64_t gibibytes)
{
	struct thing *t = model_add(&x->s->model, KIND_IMAGE_DEVICE, x->account, image, STR_NONE);
	snprintf(t->name, sizeof t->name, "%s", name);
	t->to = snapshot;
	t->gibibytes = gibibytes;
}

static bool draw_capture(struct request *x)
{
	if (random_below(2))
		request_add(x, "NoReboot", "true");
	return draw_name(x) && server_is_alone(x, x->refs[0]);
}

/* False for the disk that a rescued server boots from, which is not captured. */
static bool is_captured(const struct thing *volume, const struct thing *instance)
{
	return model_is_disk_of(volume, instance) && !volume->is_spare;
}

static void judge_capture(const struct request *x, struct verdict *v)
{
	const struct thing *instance = x->refs[0];
	judge_name(x, v);
	refuse_or_doubt(v, instance->life == ENDING, "IncorrectInstanceState");
	EACH (&x->s->model, t, KIND_VOLUME)
		if (is_captured(t, instance))
			image_judge_cut(x, t, v);
}

static void apply_capture(struct request *x, struct str answer)
{
	struct thing *image = add_image(x, answer), *instance = x->refs[0];
	EACH (&x->s->model, t, KIND_VOLUME)
		if (is_captured(t, instance))
			image_add_device(x, image, model_device(t), image_add_snapshot(x, t, STR_NONE),
					 t->gibibytes);
	server_move(instance); /* the server may be off for a moment */
}

static bool draw_register(struct request *x)
{
	request_add(x, "BlockDeviceMapping.1.DeviceName", "/dev/xvda");
	return request_ref(x, "BlockDeviceMapping.1.Ebs.SnapshotId", KIND_SNAPSHOT) && draw_name(x);
}

static void apply_register(struct request *x, struct str answer)
{
	image_add_device(x, add_image(x, answer), "", x->refs[0], x->refs[0]->gibibytes);
}

/* Copies an image of the account, or the operator's. */
static bool draw_copy(struct request *x)
{
	if (random_below(3) && !request_ref(x, "SourceImageId", KIND_IMAGE))
		return false;
	if (!x->ref_count)
		request_add(x, "SourceImageId", "%s", x->s->region.image_id.p);
	return draw_copied(x) && draw_name(x);
}

static void judge_copy(const struct request *x, struct verdict *v)
{
	judge_name(x, v);
	if (x->ref_count && (!x->refs[0]->is_complete || x->refs[0]->is_disabled))
		refuse_or_doubt(v, x->refs[0]->is_empty || x->refs[0]->is_disabled,
				"InvalidAMIID.Unavailable");
}

static void apply_copy(struct request *x, struct str answer)
{
	struct thing *image = add_image(x, answer), *snapshot;
	if (!x->ref_count) {
		snapshot = image_add_snapshot(x, NULL, STR_NONE);
		snapshot->gibibytes = IMAGE_GIBIBYTES;
		snapshot->encryption = copied_encryption(x, NULL);
		image_add_device(x, image, "", snapshot, IMAGE_GIBIBYTES);
		return;
	}
	EACH (&x->s->model, t, KIND_IMAGE_DEVICE)
		if (t->of == x->refs[0]) {
			snapshot = image_add_snapshot(x, NULL, STR_NONE);
			snapshot->gibibytes = t->to->gibibytes;
			snapshot->encryption = copied_encryption(x, t->to);
			image_add_device(x, image, t->name, snapshot, t->gibibytes);
		}
}

static bool draw_description(struct request *x)
{
	snprintf(x->name, sizeof x->name, "d%d", (int) random_below(100));
	request_add(x, "Description.Value", "%s", x->name);
	return true;
}

static void apply_description(struct request *x, struct str answer)
{
	(void) answer;
	snprintf(x->refs[0]->description, sizeof x->refs[0]->description, "%.7s", x->name);
}

static void apply_deregister(struct request *x, struct str answer)
{
	(void) answer;
	model_end_image(&x->s->model, x->refs[0]);
}

static void judge_disable(const struct request *x, struct verdict *v)
{
	if (!x->refs[0]->is_complete)
		refuse_or_doubt(v, x->refs[0]->is_empty, "InvalidAMIID.Unavailable");
}

static void apply_disable(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	t->is_disabled = true;
	t->members = t->accepted = 0;
}

static void apply_enable(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_disabled = false;
}

static bool draw_restorers(struct request *x)
{
	x->flag = random_below(2) == 0;
	x->refs[0]->offers++;
	request_add(x, "OperationType", "%s", x->flag ? "add" : "remove");
	request_add(x, "UserGroup.1", "all");
	return true;
}

static void apply_restorers(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_public = x->flag;
	x->refs[0]->offers_done++;
}

static void judge_restorers(const struct request *x, struct verdict *v)
{
	if (x->flag && x->refs[0]->encryption != PLAIN)
		refuse_or_doubt(v, x->refs[0]->encryption == ENCRYPTED, "OperationNotPermitted");
}

static bool draw_reset(struct request *x)
{
	x->refs[0]->offers++;
	request_add(x, "Attribute", "createVolumePermission");
	return true;
}

/* ---- imports ---- */

/* Imports from a URL where nothing can be downloaded: no snapshot and no image may result, whatever dies
 * meanwhile. */
static bool draw_snapshot_import(struct request *x)
{
	request_add(x, "DiskContainer.Url", "http://127.0.0.1:9/disk");
	return true;
}

static bool draw_image_import(struct request *x)
{
	request_add(x, "DiskContainer.1.Url", "http://127.0.0.1:9/root");
	request_add(x, "DiskContainer.2.Url", "http://127.0.0.1:9/data");
	return true;
}

static void judge_import(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "ResourceCountLimitExceeded");
}

/* ---- exports ---- */

static bool draw_export(struct request *x)
{
	static const char *const formats[] = {"VMDK", "RAW", "QCOW2", "OVA"};
	request_add(x, "DiskImageFormat", "%s", formats[random_below(4)]);
	request_add(x, "S3ExportLocation.S3Bucket", "moves");
	return true;
}

static void judge_export(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "ResourceCountLimitExceeded");
	doubt(v, "NotExportable"); /* encrypted, or of several disks */
	doubt(v, "InvalidAMIID.Unavailable");
	doubt(v, "IncorrectState"); /* no disk has data */
}

static bool draw_attribute(struct request *x)
{
	request_add(x, "AutoEnableIO.Value", random_below(2) ? "true" : "false");
	return true;
}

/* ---- deprecation ---- */

/* Times have minute precision; they pass while histories run. */
static bool draw_deprecation(struct request *x)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t at_us = clock_now_us() + (1 + (int64_t) random_below(600)) * MINUTE;
	x->count = at_us / MINUTE * MINUTE + MINUTE;
	request_add(x, "DeprecateAt", "%s", clock_write_s(x->count, text));
	return true;
}

static void apply_deprecation(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->deprecated_us = x->count;
}

static const struct operation rows[] = {
	{"ImportSnapshot", 1, {}, NULL, draw_snapshot_import, judge_import, NULL},
	{"ImportImage", 1, {}, NULL, draw_image_import, judge_import, NULL},
	{"ExportImage", 1, {{"ImageId", KIND_IMAGE}}, NULL, draw_export, judge_export, NULL},
	{"ModifyVolumeAttribute", 1, {{"VolumeId", KIND_VOLUME}}, NULL, draw_attribute, NULL, NULL},
	{"POST /volume/v3/snapshots",
	 3,
	 {{"volume_id", KIND_VOLUME}},
	 "snapshot",
	 NULL,
	 judge_snapshot,
	 apply_snapshot},
	{"DELETE /volume/v3/snapshots/{snapshot_id}",
	 2,
	 {{"snapshot_id", KIND_SNAPSHOT}},
	 NULL,
	 NULL,
	 judge_leave_snapshot,
	 apply_leave_snapshot},
	{"POST /volume/v3/volumes",
	 2,
	 {{"snapshot_id", KIND_SNAPSHOT}},
	 "volume",
	 draw_os_restored,
	 judge_restored,
	 apply_restored},
	{"createSnapshot", 3, {{"volumeid", KIND_VOLUME}}, NULL, NULL, judge_snapshot, apply_snapshot},
	{"deleteSnapshot",
	 2,
	 {{"id", KIND_SNAPSHOT}},
	 NULL,
	 NULL,
	 image_judge_delete_snapshot,
	 request_apply_end},
	{"CreateSnapshot", 5, {{"VolumeId", KIND_VOLUME}}, "snapshot", NULL, judge_snapshot, apply_snapshot},
	{"CreateSnapshots",
	 2,
	 {{"InstanceSpecification.InstanceId", KIND_INSTANCE}},
	 "snapshot",
	 draw_of_instance,
	 judge_snapshots,
	 apply_snapshots},
	{"CopySnapshot",
	 1,
	 {{"SourceSnapshotId", KIND_SNAPSHOT}},
	 "snapshot",
	 draw_copied,
	 judge_completed,
	 apply_copy_snapshot,
	 true},
	{"DeleteSnapshot",
	 4,
	 {{"SnapshotId", KIND_SNAPSHOT}},
	 NULL,
	 NULL,
	 image_judge_delete_snapshot,
	 request_apply_end},
	{"CreateVolume",
	 3,
	 {{"SnapshotId", KIND_SNAPSHOT}},
	 "volume",
	 draw_restored,
	 judge_restored,
	 apply_restored,
	 true},
	{"CreateImage",
	 3,
	 {{"InstanceId", KIND_INSTANCE}},
	 "image",
	 draw_capture,
	 judge_capture,
	 apply_capture},
	{"RegisterImage", 2, {}, "image", draw_register, judge_name, apply_register, true},
	{"CopyImage", 1, {}, "image", draw_copy, judge_copy, apply_copy, true},
	{"ModifyImageAttribute",
	 1,
	 {{"ImageId", KIND_IMAGE}},
	 NULL,
	 draw_description,
	 NULL,
	 apply_description},
	{"ModifySnapshotAttribute",
	 1,
	 {{"SnapshotId", KIND_SNAPSHOT}},
	 NULL,
	 draw_restorers,
	 judge_restorers,
	 apply_restorers},
	{"ResetSnapshotAttribute",
	 1,
	 {{"SnapshotId", KIND_SNAPSHOT}},
	 NULL,
	 draw_reset,
	 NULL,
	 apply_restorers},
	{"EnableImageDeprecation",
	 2,
	 {{"ImageId", KIND_IMAGE}},
	 NULL,
	 draw_deprecation,
	 NULL,
	 apply_deprecation},
	{"DisableImageDeprecation", 1, {{"ImageId", KIND_IMAGE}}, NULL, NULL, NULL, apply_deprecation},
	{"DisableImage", 1, {{"ImageId", KIND_IMAGE}}, NULL, NULL, judge_disable, apply_disable},
	{"EnableImage", 2, {{"ImageId", KIND_IMAGE}}, NULL, NULL, judge_disable, apply_enable},
	{"DeregisterImage", 3, {{"ImageId", KIND_IMAGE}}, NULL, NULL, NULL, apply_deregister},
};
const struct operations image_operations = {rows, sizeof rows / sizeof *rows};
