/* SPDX-License-Identifier: Apache-2.0
 * Planned disks of volumes and images: limits of volume types, and how requests override an image's disks. */
#include <inttypes.h>

#include "engine/internal.h"
#include "engine/storage/disk_crypt.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/storage/volume_type/volume_type.h"
#include "engine/storage/volume_type/volume_type_internal.h"
#include "model/states.h"
#include "store/account.h"
#include "store/backup.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_type.h"

#define GIBIBYTE (INT64_C(1) << 30)

/* ---- volume types ---- */

/* Limits of EC2's types. Other types have none. */
struct type_figures {
	struct str name;
	int64_t gib_min, gib_max;
	int64_t iops_min, iops_max; /* range that may be requested; 0: none */
	int64_t iops_default;       /* 0: must be requested, or not supported */
	int64_t iops_per_gib;
	int64_t throughput_min, throughput_max, throughput_default; /* in MiB/s */
};

#define NAME(text)                                                                                           \
	{                                                                                                    \
		text, sizeof text - 1                                                                        \
	}
static const struct type_figures types[] = {
	{NAME("gp2"), .gib_min = 1, .gib_max = 16384},
	{NAME("gp3"), 1, 16384, 3000, 16000, 3000, 500, 125, 1000, 125},
	{NAME("io1"), 4, 16384, 100, 64000, .iops_per_gib = 50},
	{NAME("io2"), 4, 16384, 100, 64000, .iops_per_gib = 500},
	{NAME("st1"), .gib_min = 125, .gib_max = 16384},
	{NAME("sc1"), .gib_min = 125, .gib_max = 16384},
	{NAME("standard"), .gib_min = 1, .gib_max = 1024},
};

static const struct type_figures *find_figures(struct str name)
{
	for (size_t n = 0; n < sizeof types / sizeof *types; n++)
		if (str_equal(types[n].name, name))
			return &types[n];
	return NULL;
}

bool disk_plan_is_ec2_type(struct str type)
{
	return find_figures(type) != NULL;
}

static int64_t gib_of(int64_t bytes)
{
	return bytes / GIBIBYTE + (bytes % GIBIBYTE != 0);
}

static RESULT check_size(struct op *op, const struct disk_plan *d, const struct type_figures *type)
{
	int64_t gib = gib_of(d->size);
	if (gib >= type->gib_min && gib <= type->gib_max)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, d->field,
			   "Volume of %" PRId64 "GiB is invalid. Volumes of type %" STR_FMT " have %" PRId64
			   " to %" PRId64 "GiB.",
			   gib, STR_ARG(type->name), type->gib_min, type->gib_max);
}

static RESULT check_iops(struct op *op, const struct disk_plan *d, const struct type_figures *type)
{
	if (d->iops == 0 && type->iops_max > 0 && type->iops_default == 0)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_VOLUME, d->field,
				   "The parameter iops must be specified for %" STR_FMT " volumes.",
				   STR_ARG(type->name));
	if (d->iops == 0)
		return OK;
	if (type->iops_max == 0)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, d->field,
				   "The iops parameter is not supported for %" STR_FMT " volumes.",
				   STR_ARG(type->name));
	if (d->iops < type->iops_min)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, d->field,
				   "Volume iops of %" PRId64 " is too low; minimum is %" PRId64 ".", d->iops,
				   type->iops_min);
	if (d->iops > type->iops_max)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, d->field,
				   "Volume iops of %" PRId64 " is too high; maximum is %" PRId64 ".", d->iops,
				   type->iops_max);
	if (d->iops > type->iops_default && d->iops > gib_of(d->size) * type->iops_per_gib)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, d->field,
				   "Iops to volume size ratio of %.1f is too high; maximum is %" PRId64 ".0",
				   (double) d->iops / (double) gib_of(d->size), type->iops_per_gib);
	return OK;
}

static RESULT check_throughput(struct op *op, const struct disk_plan *d, const struct type_figures *type)
{
	if (d->throughput == 0)
		return OK;
	if (type->throughput_max == 0)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, d->field,
				   "The throughput parameter is not supported for %" STR_FMT " volumes.",
				   STR_ARG(type->name));
	if (d->throughput < type->throughput_min || d->throughput > type->throughput_max)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, d->field,
				   "Throughput of %" PRId64 " MiB/s is invalid. Volumes of type %" STR_FMT
				   " have %" PRId64 " to %" PRId64 ".",
				   d->throughput, STR_ARG(type->name), type->throughput_min,
				   type->throughput_max);
	int64_t iops = d->iops ? d->iops : type->iops_default;
	if (d->throughput * 4 > iops) /* 0.25 MiB/s per IOPS */
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_VOLUME, d->field,
			"Throughput (MiBps) to iops ratio of %g is too high; maximum is 0.25 MiBps per "
			"iops.",
			(double) d->throughput / (double) iops);
	return OK;
}

RESULT disk_plan_check_type(struct op *op, const struct disk_plan *d)
{
	static const struct type_figures unlimited = {
		.name = NAME("that name"), .gib_min = 1, .gib_max = 16384};
	const struct type_figures *type = find_figures(d->type);
	const struct volume_type *row = volume_type_find_by_name(op->head, d->type);
	if (!row || !engine_may_use_volume_type(op->ctx, row))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, d->field,
				   "The volume type '%" STR_FMT "' does not exist.", STR_ARG(d->type));
	if (!type)
		type = &unlimited;
	TRY(check_size(op, d, type));
	TRY(check_iops(op, d, type));
	return check_throughput(op, d, type);
}

/* gp2 has three IOPS a GiB. */
int64_t engine_volume_iops(const struct volume *volume)
{
	const struct type_figures *type = find_figures(volume->type);
	if (volume->iops || !type)
		return volume->iops;
	if (!str_is(type->name, "gp2"))
		return type->iops_default;
	int64_t iops = 3 * gib_of(volume->size);
	return iops < 100 ? 100 : iops > 16000 ? 16000 : iops;
}

int64_t engine_volume_throughput(const struct volume *volume)
{
	const struct type_figures *type = find_figures(volume->type);
	return volume->throughput || !type ? volume->throughput : type->throughput_default;
}

/* ---- requests ---- */

RESULT disk_plan_check_device(struct op *op, struct str device, struct str field)
{
	bool is_fine = device.n >= 1 && device.n <= 32;
	for (size_t n = 0; n < device.n && is_fine; n++)
		is_fine = (device.p[n] >= 'a' && device.p[n] <= 'z') ||
			  (device.p[n] >= '0' && device.p[n] <= '9') || device.p[n] == '/';
	return is_fine ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, field,
				     "Value (%" STR_FMT ") for parameter device is invalid. %" STR_FMT
				     " is not a valid EBS device name.",
				     STR_ARG(str_slice(device, 0, 64)), STR_ARG(str_slice(device, 0, 64)));
}

static struct disk_plan *find_plan(struct disk_plans *plans, struct str device)
{
	for (size_t n = 0; n < plans->count; n++)
		if (str_equal(plans->at[n].device, device))
			return &plans->at[n];
	return NULL;
}

static bool is_root_name(struct str device)
{
	return str_is(device, "/dev/sda1") || str_is(device, "/dev/xvda");
}

/* Finds the disk that a request means. Images and scripts disagree about the root disk's name, so both usual
 * names mean it. */
static struct disk_plan *find_meant(struct disk_plans *plans, struct str device)
{
	struct disk_plan *plan = find_plan(plans, device);
	if (!plan && plans->count && is_root_name(device) && is_root_name(plans->at[0].device))
		plan = &plans->at[0];
	return plan;
}

static RESULT take_snapshot(struct op *op, const struct disk_wish *wish, struct disk_plan *plan)
{
	const struct snapshot *snapshot = NULL;
	if (!ref_is_given(&wish->snapshot))
		return OK;
	TRY(engine_find_snapshot(op->ctx, op->head, &wish->snapshot, &snapshot));
	TRY(engine_permit(op, "snapshot.use", KIND_SNAPSHOT, &snapshot->row));
	TRY(snapshot_check_unreserved(op, snapshot, &wish->snapshot));
	plan->snapshot = snapshot;
	plan->volume = NULL;
	plan->size = 0; /* the snapshot's size, unless one is requested */
	const struct volume *of = volume_find(op->head, snapshot->volume);
	const struct backup *restored = backup_find(op->head, snapshot->backup);
	plan->is_bootable = of ? of->is_bootable : restored && restored->is_bootable;
	plan->image = of ? image_find(op->head, of->image) : NULL;
	return OK;
}

/* Uses the root disk of an image as source. */
static RESULT take_image(struct op *op, const struct disk_wish *wish, struct disk_plan *plan)
{
	const struct image *image = NULL;
	struct disk_plans disks;
	if (!ref_is_given(&wish->image))
		return OK;
	TRY(engine_find_image(op->ctx, op->head, &wish->image, &image));
	TRY(engine_permit(op, "image.launch", KIND_IMAGE, &image->row));
	enum image_state state = engine_derive_image_state(op->head, image);
	if (state != IMAGE_AVAILABLE)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' is %s, not available", STR_ARG(wish->image.text),
				   model_image_states[state].name);
	TRY(disk_plans_of_image(op, image, &disks));
	plan->snapshot = disks.at[0].snapshot;
	plan->least = disks.at[0].size;
	plan->image = image;
	plan->is_bootable = true;
	plan->size = 0;
	return OK;
}

/* Uses an existing volume, itself or as a source to copy. */
static RESULT take_volume(struct op *op, const struct disk_wish *wish, struct disk_plan *plan)
{
	const struct volume *volume = NULL;
	const struct ref *ref = ref_is_given(&wish->existing) ? &wish->existing : &wish->copied;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_permit_volume(op, ref, ref == &wish->existing ? "volume.attach" : "snapshot.create",
				 &volume));
	if (volume->seen_size == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
				   "The volume '%" STR_FMT "' is not 'available'.", STR_ARG(ref->text));
	if (ref == &wish->existing)
		TRY(volume_check_takes_more(op, ref, volume));
	if (ref == &wish->existing)
		TRY(volume_check_unreserved(op, volume, ref));
	if (ref == &wish->existing)
		plan->existing = volume, plan->delete_on_termination = false;
	else
		plan->volume = volume;
	plan->type = volume->type;
	plan->iops = volume->iops;
	plan->throughput = volume->throughput;
	plan->image = image_find(op->head, volume->image);
	plan->is_bootable = volume->is_bootable;
	plan->size = plan->existing ? volume->size : 0;
	return OK;
}

RESULT disk_plan_apply_wish(struct op *op, const struct disk_wish *wish, struct disk_plan *plan)
{
	TRY(take_snapshot(op, wish, plan));
	TRY(take_image(op, wish, plan));
	TRY(take_volume(op, wish, plan));
	plan->device = wish->device;
	plan->tag = &wish->tag;
	plan->field = wish->field;
	if (wish->size)
		plan->size = wish->size;
	if (!str_is_empty(wish->type)) {
		plan->type = wish->type;
		plan->iops = plan->throughput = 0;
	}
	if (wish->iops)
		plan->iops = wish->iops;
	if (wish->throughput)
		plan->throughput = wish->throughput;
	choice_apply(wish->delete_on_termination, &plan->delete_on_termination);
	if (wish->crypt.is_wanted != CHOICE_DEFAULT)
		plan->encryption = wish->crypt.is_wanted;
	plan->sharing = wish->is_shared;
	if (!str_is_empty(wish->crypt.key_field))
		plan->key = &wish->crypt;
	return OK;
}

RESULT disk_plans_apply_wishes(struct op *op, const struct disk_wish *wishes, size_t count,
			       struct disk_plans *plans)
{
	for (size_t n = 0; n < count; n++) {
		const struct disk_wish *wish = &wishes[n];
		TRY(disk_plan_check_device(op, wish->device, wish->field));
		for (size_t k = 0; k < n; k++)
			if (str_equal(wishes[k].device, wish->device))
				return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, wish->field,
						   "The device '%" STR_FMT
						   "' is used in more than one block-device mapping",
						   STR_ARG(wish->device));
		struct disk_plan *plan = find_meant(plans, wish->device);
		if (wish->is_left_out && plan)
			plan->is_left_out = true;
		if (wish->is_left_out)
			continue;
		if (!plan && plans->count == DISK_PLANS_MAX)
			return ENGINE_FAIL(op, ERR_QUOTA, KIND_VOLUME, STR("BlockDeviceMapping"),
					   "An instance has %d volumes at most.", INSTANCE_VOLUMES_MAX);
		if (!plan) {
			plan = &plans->at[plans->count++];
			*plan = (struct disk_plan){
				.device = wish->device, .type = STR("gp2"), .delete_on_termination = true};
		}
		TRY(disk_plan_apply_wish(op, wish, plan));
	}
	return OK;
}

static void drop_left_out(struct disk_plans *plans)
{
	size_t kept = 0;
	for (size_t n = 0; n < plans->count; n++)
		if (!plans->at[n].is_left_out)
			plans->at[kept++] = plans->at[n];
	plans->count = kept;
}

bool disk_plan_type_encrypts(const struct op *op, struct str type)
{
	const struct volume_type *row = volume_type_find_by_name(op->head, type);
	return row && row->encrypted_us != 0;
}

bool engine_type_shares(const struct tables *t, struct str type)
{
	const struct volume_type *row = volume_type_find_by_name(t, type);
	const struct tag *spec = row ? tags_find(row->specs, STR("multiattach")) : NULL;
	return spec && str_is(spec->value, "<is> True");
}

bool disk_plan_type_shares(const struct op *op, struct str type)
{
	return engine_type_shares(op->head, type);
}

/* EC2 documents which types; error codes and messages are unverified. */
RESULT disk_plan_check_sharing(struct op *op, struct str type, bool is_encrypted)
{
	bool is_io = str_is(type, "io1") || str_is(type, "io2");
	if (!is_io && disk_plan_is_ec2_type(type) && !disk_plan_type_shares(op, type))
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_VOLUME, STR("MultiAttachEnabled"),
			"Multi-Attach is supported with volumes of the types io1 and io2 only, not "
			"with %" STR_FMT ".",
			STR_ARG(type));
	return is_encrypted ? ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_VOLUME, STR("MultiAttachEnabled"),
					  "Multi-Attach is not supported with encrypted volumes here.")
			    : OK;
}

static RESULT check_type_crypt(struct op *op, struct str type)
{
	const struct volume_type *row = volume_type_find_by_name(op->head, type);
	return !row || !row->encrypted_us || volume_type_is_known_crypt(row)
		       ? OK
		       : ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_VOLUME_TYPE, STR("volume_type"),
				     "Volumes of the type %" STR_FMT " are to be encrypted as %" STR_FMT
				     " does it, which is not supported here.",
				     STR_ARG(type), STR_ARG(row->encryption_provider));
}

bool disk_plan_is_encrypted_by_default(const struct op *op)
{
	const struct account *account = account_find(op->head, engine_get_account(op->ctx));
	return account && account->encrypts_volumes;
}

RESULT disk_plan_check_key(struct op *op, const struct disk_crypt *crypt, bool is_encrypted)
{
	return !crypt || str_is_empty(crypt->key_field) || is_encrypted
		       ? OK
		       : ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, crypt->key_field,
				     "The parameter %" STR_FMT " requires the parameter %" STR_FMT
				     " to be set.",
				     STR_ARG(crypt->key_field), STR_ARG(crypt->wanted_field));
}

RESULT disk_plan_finish(struct op *op, struct disk_plan *plan)
{
	const struct snapshot *snapshot = plan->snapshot;
	/* Sizes are shown in GiB, so a snapshot's size is rounded up. */
	int64_t least = snapshot       ? gib_of(snapshot->volume_size) * GIBIBYTE
			: plan->volume ? plan->volume->size
				       : 0;
	if (plan->existing)
		return OK;
	plan->is_encrypted = plan->encryption == CHOICE_YES || (snapshot && snapshot->is_encrypted) ||
			     disk_plan_is_encrypted_by_default(op) || disk_plan_type_encrypts(op, plan->type);
	TRY(disk_plan_check_key(op, plan->key, plan->is_encrypted));
	TRY(check_type_crypt(op, plan->type));
	if (!plan->is_placed_later)
		TRY(storage_pool_check_type(op, plan->type, plan->field));
	plan->is_shared = choice_or(plan->sharing, disk_plan_type_shares(op, plan->type));
	if (plan->is_shared)
		TRY(disk_plan_check_sharing(op, plan->type, plan->is_encrypted));
	if (least < plan->least)
		least = plan->least;
	if (plan->size == 0)
		plan->size = least;
	if (plan->size <= 0)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_VOLUME, plan->field,
				   "The request must contain the parameter size/snapshot");
	if (plan->size < least)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, plan->field,
				   "Volume of size %" PRId64
				   "GB is smaller than snapshot, expect size >= %" PRId64 "GB",
				   gib_of(plan->size), gib_of(least));
	return disk_plan_check_type(op, plan);
}

RESULT disk_plans_finish(struct op *op, struct disk_plans *plans)
{
	drop_left_out(plans);
	if (plans->count > INSTANCE_VOLUMES_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_VOLUME, "An instance has %d volumes at most.",
				     INSTANCE_VOLUMES_MAX);
	for (size_t n = 0; n < plans->count; n++)
		TRY(disk_plan_finish(op, &plans->at[n]));
	return OK;
}

RESULT disk_plan_check_source(struct op *op, const struct disk_plan *plan)
{
	const struct snapshot *snapshot = plan->snapshot;
	if (!snapshot || snapshot->is_bound || model_derive_snapshot_state(snapshot) == SNAPSHOT_COMPLETED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_SNAPSHOT, plan->field,
			   "The snapshot '%" STR_FMT "' is not completed",
			   STR_ARG(engine_write_id(op, KIND_SNAPSHOT, snapshot->row.id)));
}

RESULT disk_plans_of_image(struct op *op, const struct image *image, struct disk_plans *ret_plans)
{
	ret_plans->count = 0;
	const struct image_device *d = image_device_first_by_image(op->head, image->row.id);
	for (; d && ret_plans->count < DISK_PLANS_MAX; d = image_device_next_by_image(op->head, d))
		ret_plans->at[ret_plans->count++] = (struct disk_plan){
			.device = d->device,
			.snapshot = snapshot_find(op->head, d->snapshot),
			.image = d->number == 0 ? image : NULL,
			.is_bootable = d->number == 0,
			.encryption =
				d->is_encrypted && uuid_is_none(d->snapshot) ? CHOICE_YES : CHOICE_DEFAULT,
			.size = d->size,
			.type = d->type,
			.iops = d->iops,
			.throughput = d->throughput,
			.delete_on_termination = d->delete_on_termination,
		};
	int64_t least = gib_of(image->min_disk) * GIBIBYTE;
	if (ret_plans->count && ret_plans->at[0].size < least)
		ret_plans->at[0].size = least;
	return ret_plans->count ? OK
				: ctx_fail_kind(op->ctx, ERR_STATE, KIND_IMAGE, "The image has no disks.");
}
