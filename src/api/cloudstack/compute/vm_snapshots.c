/* SPDX-License-Identifier: Apache-2.0
 * VM snapshots: all disks of a machine, without its memory. Source: API reference, "Snapshot", 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/region/annotations.h"
#include "base/clock.h"
#include "engine/instance/instance_snapshot.h"
#include "store/instance.h"
#include "store/instance_snapshot.h"
#include "store/zone.h"

struct list_snapshots {
	struct cs_list_args list;
	struct ref machine, project;
	struct str state;
};
#define P(wire, member, ...) PARAM(struct list_snapshots, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct list_snapshots),
	CS_NAME_PARAM(struct list_snapshots),
	P("vmsnapshotid", list.id, .kind = KIND_INSTANCE_SNAPSHOT, .doc = "Resource by id."),
	P("vmsnapshotids", list.ids, .kind = KIND_INSTANCE_SNAPSHOT, .max = CS_PAGE_MAX,
	  .fits = FITS(row, id), .doc = "Resources by id."),
	CS_OWNER_PARAMS(struct list_snapshots),
	CS_PROJECT_PARAM(struct list_snapshots, project),
	CS_TAGS_PARAM(struct list_snapshots),
	P("virtualmachineid", machine, .kind = KIND_INSTANCE, .fits = FITS(instance_snapshot, instance),
	  .doc = "Virtual machine."),
	P("state", state, .doc = "State: Creating, Ready, Reverting or Error."),
};
#undef P

static struct str get_state(struct api_call *e, const struct row *row)
{
	static const char *const words[] = {[INSTANCE_SNAPSHOT_CREATING] = "Creating",
					    [INSTANCE_SNAPSHOT_READY] = "Ready",
					    [INSTANCE_SNAPSHOT_REVERTING] = "Reverting",
					    [INSTANCE_SNAPSHOT_ERROR] = "Error"};
	return str_from(words[engine_instance_snapshot_state(api_tables(e), instance_snapshot_of(row))]);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_snapshots *a = args;
	return !a->state.n || str_equal_nocase(a->state, get_state(e, row));
}

/* Name built from machine and time, as CloudStack does regardless of the requested name. */
static struct str get_name(struct api_call *e, const struct row *row)
{
	char id[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
	(void) clock_write_basic(row->created_us, time);
	return str_print(e->c->arena, "%s_VS_%.8s%.6s", uuid_write(instance_snapshot_of(row)->instance, id),
			 time, time + 9);
}

#define OF_MACHINE JOIN_ONE(KIND_INSTANCE, instance_snapshot, instance)
static const struct member members[] = {
	MEMBER(struct instance_snapshot, "id", row.id),
	MEMBER_TEXT("name", get_name),
	MEMBER(struct instance_snapshot, "displayname", name),
	MEMBER(struct instance_snapshot, "description", description, .is_optional = true),
	MEMBER_TEXT("state", get_state),
	MEMBER_FIXED("type", "\"Disk\""),
	MEMBER(struct instance_snapshot, "current", is_current),
	MEMBER(struct instance_snapshot, "parent", parent),
	MEMBER(struct instance_snapshot, "parentName", name,
	       .path = {JOIN_ONE(KIND_INSTANCE_SNAPSHOT, instance_snapshot, parent)}),
	MEMBER_AS(struct instance_snapshot, TIME, "created", row.created_us),
	CS_OWNER_MEMBERS(instance_snapshot),
	MEMBER(struct instance_snapshot, "virtualmachineid", instance),
	MEMBER_TEXT_OF("virtualmachinename", cs_machine_name, OF_MACHINE),
	MEMBER(struct instance, "zoneid", zone, .path = {OF_MACHINE}),
	MEMBER(struct zone, "zonename", name, .path = {OF_MACHINE, JOIN_ONE(KIND_ZONE, instance, zone)}),
	MEMBER_FIXED("hypervisor", "\"KVM\""),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};
static const struct api_listing snapshots =
	CS_LISTING(KIND_INSTANCE_SNAPSHOT, "vmSnapshot", members,
		   .name = offsetof(struct instance_snapshot, name), .matches = matches);

/* ---- changes ---- */

#define P(wire, member, ...) PARAM(struct instance_snapshot_wish, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("virtualmachineid", instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	  .doc = "Virtual machine, running or stopped."),
	P("name", name, .doc = "Display name."),
	P("description", description, .doc = "Description."),
	NOT_BUILT("quiescevm|snapshotmemory", .only = "false"),
};
#undef P

static const struct param target_params[] = {
	PARAM(struct instance_snapshot_target, "vmsnapshotid", snapshot, .kind = KIND_INSTANCE_SNAPSHOT,
	      .flags = REQUIRED, .doc = "The VM snapshot."),
};

static const struct cs_action actions[] = {
	{CS_ACTION("listVMSnapshot", "ec2:DescribeSnapshots"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_snapshots, list_params), .listing = &snapshots,
	 .doc = "Lists VM snapshots."},
	{CS_ACTION("createVMSnapshot", "ec2:CreateSnapshots"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct instance_snapshot_wish, create_params),
	 .operation = engine_create_instance_snapshot_run,
	 CS_SUBJECT(struct instance_snapshot_wish, snapshot), .shows = &snapshots, .item = "vmsnapshot",
	 CS_JOB(MADE), .doc = "Creates a snapshot of all disks of a virtual machine."},
	{CS_ACTION("deleteVMSnapshot", "ec2:DeleteSnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct instance_snapshot_target, target_params),
	 .operation = engine_delete_instance_snapshot_run,
	 CS_SUBJECT(struct instance_snapshot_target, snapshot.prefix), .about = KIND_INSTANCE_SNAPSHOT,
	 CS_JOB(GONE), .doc = "Deletes a VM snapshot."},
	{CS_ACTION("revertToVMSnapshot", "ec2:RevertVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct instance_snapshot_target, target_params),
	 .operation = engine_revert_instance_run, CS_SUBJECT(struct instance_snapshot_target, instance),
	 .shows = &cs_machines, CS_JOB(REVERTED),
	 .doc = "Reverts the disks of a stopped virtual machine to a VM snapshot."},
};
const struct api_actions cs_vm_snapshot_actions = API_ACTIONS(actions);
