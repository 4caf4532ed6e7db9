/* SPDX-License-Identifier: Apache-2.0
 * attachDetachDataDisks: attaches and detaches data disks without a PUT of the machine. Source: Azure REST
 * API reference, "Virtual Machines - Attach Detach Data Disks".
 */
#include "api/azure/compute/compute.h"
#include "engine/storage/volume/volume.h"
#include "model/state.h"
#include "store/instance.h"
#include "store/volume.h"

enum { CHANGES_MAX = 64, LUN_MAX = 23 };
#define ATTACHES "dataDisksToAttach"
#define DETACHES "dataDisksToDetach"

/* ---- the body ---- */

struct coming {
	struct str id, fate;
	int64_t lun;
	bool has_lun;
};
static const struct param coming_rows[] = {
	PARAM(struct coming, "diskId", id, .flags = REQUIRED, .doc = "The disk."),
	PARAM(struct coming, "lun", lun, .max = LUN_MAX, .given = offsetof(struct coming, has_lun) + 1,
	      .doc = "Logical unit number; absent: the first free one."),
	PARAM(struct coming, "deleteOption", fate, .words = "Delete|Detach",
	      .doc = "Whether the data disk is deleted with the virtual machine; absent: Detach."),
	NOT_BUILT("caching", .only = "None"),
	NOT_BUILT("diskEncryptionSet"),
	NOT_BUILT("writeAcceleratorEnabled", .only = "false"),
};
static const struct params coming_params = PARAMS(struct coming, coming_rows, .object = "DataDisksToAttach");

struct leaving {
	struct str id, option;
};
static const struct param leaving_rows[] = {
	PARAM(struct leaving, "diskId", id, .flags = REQUIRED, .doc = "The disk."),
	PARAM(struct leaving, "detachOption", option, .words = "ForceDetach",
	      .doc = "ForceDetach: detaches without the guest's consent."),
};
static const struct params leaving_params =
	PARAMS(struct leaving, leaving_rows, .object = "DataDisksToDetach");

struct disks_args {
	struct {
		const struct coming *at;
		size_t count;
	} comes;
	struct {
		const struct leaving *at;
		size_t count;
	} leaves;
	/* results: */
	struct volume_attaching attach[CHANGES_MAX];
	struct volume_detaching detach[CHANGES_MAX];
	uuid gone[CHANGES_MAX];
};
static const struct param disks_params[] = {
	PARAM_LIST(struct disks_args, ATTACHES, comes, coming_params, .max = CHANGES_MAX,
		   .doc = "Disks to attach."),
	PARAM_LIST(struct disks_args, DETACHES, leaves, leaving_params, .max = CHANGES_MAX,
		   .doc = "Disks to detach."),
};

/* ---- request bodies ---- */

static RESULT read_leaving(struct az_call *e, struct disks_args *a, size_t k)
{
	const struct leaving *d = &a->leaves.at[k];
	const struct row *row = NULL;
	TRY(az_find_id(e, DETACHES ".diskId", d->id, AZ_DISKS, KIND_VOLUME, &row));
	const struct volume *v = volume_of(row);
	if (!uuid_equal(v->instance, e->target) || !v->device_slot)
		return az_fail(e, DETACHES ".diskId", /* guessed */
			       "The disk '%" STR_FMT "' is not a data disk of the VM '%" STR_FMT "'.",
			       STR_ARG(str_slice(d->id, 0, 512)), STR_ARG(az_path_value(e, "vmName")));
	a->gone[k] = row->id;
	a->detach[k] = (struct volume_detaching){.volume = ref_by_id(KIND_VOLUME, row->id),
						 .instance = az_target_ref(e),
						 .force = d->option.n > 0};
	return OK;
}

/* Bit mask of the LUNs in use. A disk that is leaving a running machine keeps its LUN until the guest
 * releases it. */
static uint32_t find_taken(struct az_call *e, const struct disks_args *a)
{
	const struct instance *i = instance_find(az_tables(e), e->target);
	bool is_off = model_derive_instance_state(i) == INSTANCE_STOPPED;
	const struct uuids gone = {a->gone, is_off ? a->leaves.count : 0};
	uint32_t taken = 0;
	for (const struct volume *v = volume_first_by_instance(az_tables(e), e->target); v;
	     v = volume_next_by_instance(az_tables(e), v))
		if (v->device_slot && !v->is_medium && !uuids_have(&gone, v->row.id) &&
		    az_lun_of(v) <= LUN_MAX)
			taken |= UINT32_C(1) << az_lun_of(v);
	return taken;
}

static RESULT read_coming(struct az_call *e, struct disks_args *a, size_t k, uint32_t *taken)
{
	const struct coming *d = &a->comes.at[k];
	const struct row *row = NULL;
	int64_t lun = d->lun;
	while (!d->has_lun && lun < LUN_MAX && *taken >> lun & 1)
		lun++;
	if (*taken >> lun & 1)
		return az_fail(e, ATTACHES ".lun", "A disk at LUN %lld already exists.", (long long) lun);
	*taken |= UINT32_C(1) << lun;
	TRY(az_find_free_disk(e, ATTACHES ".diskId", d->id, &row));
	a->attach[k] = (struct volume_attaching){.volume = ref_by_id(KIND_VOLUME, row->id),
						 .instance = az_target_ref(e),
						 .device = az_device_of(e, lun),
						 .delete_on_termination = str_is(d->fate, "Delete"),
						 .crosses_zones = true};
	return OK;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct disks_args *a = args;
	if (!a->comes.count && !a->leaves.count)
		return az_fail(e, ATTACHES, "Either " ATTACHES " or " DETACHES " is required."); /* guessed */
	for (size_t k = 0; k < a->leaves.count; k++)
		TRY(read_leaving(e, a, k));
	uint32_t taken = find_taken(e, a);
	for (size_t k = 0; k < a->comes.count; k++)
		TRY(read_coming(e, a, k, &taken));
	return OK;
}

static RESULT change(struct op *op, void *args)
{
	struct disks_args *a = args;
	for (size_t k = 0; k < a->leaves.count; k++)
		TRY(engine_detach_volume(op, &a->detach[k]));
	for (size_t k = 0; k < a->comes.count; k++)
		TRY(engine_attach_volume(op, &a->attach[k]));
	return OK;
}

/* Shows the new storage profile, without disks that are being detached. */
static RESULT show(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct disks_args *a = args;
	const struct uuids gone = {a->gone, a->leaves.count};
	az_write_storage(e, w, instance_find(az_tables(e), e->target), &gone);
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_POST, AZ_GROUP AZ_COMPUTE "/virtualMachines/{vmName}/attachDetachDataDisks",
	 .name = "VirtualMachines_AttachDetachDataDisks", .permit = "ec2:AttachVolume", .flags = API_WRITES,
	 .type = AZ_MACHINES, .kind = KIND_INSTANCE, .names = "vmName",
	 .args = PARAMS(struct disks_args, disks_params, .object = "AttachDetachDataDisksRequest"),
	 .prepare = prepare, .operation = change, .returns = API_RETURNS_NOTHING_STORED, .answer = show,
	 .doc = "Attaches data disks, and detaches others."},
};
const struct api_actions az_attached_disk_actions = API_ACTIONS(actions);
