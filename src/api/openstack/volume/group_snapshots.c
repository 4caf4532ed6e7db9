/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of groups of volumes. Source: Block Storage API reference, "Group snapshots"; Cinder's
 * cinder.api.v3.group_snapshots. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/volume/volume_group.h"
#include "model/volume_group_snapshot.h"
#include "store/volume_group.h"

ATTRIBUTE_GETTER(volume_group_snapshot, s, const char *, get_status,
		 engine_volume_group_snapshot_status(api_tables(e), s))

/* Lists without details show the first two; the answer to a creation adds the group type. */
enum { BRIEF_COUNT = 2, MADE_COUNT };
#define S(wire, field, ...) ATTRIBUTE(volume_group_snapshot, wire, field, __VA_ARGS__)
static const struct attribute snapshot_rows[] = {
	S("id", row.id, .filter = "id"),
	S("name", name, .flags = ATTRIBUTE_NULL_NONE, .filter = "name", .sort = "name"),
	ATTRIBUTE_OF(volume_group_snapshot, group, KIND_VOLUME_GROUP, volume_group, "group_type_id", type),
	S("group_id", group, .filter = "group_id"),
	ATTRIBUTE_MADE(WORD, word, "status", get_status, .filter = "status"),
	ATTRIBUTE_AS(TIME_FINE, volume_group_snapshot, "created_at", row.created_us),
	S("description", description, .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_AS(HEX, volume_group_snapshot, "project_id", account, .flags = ATTRIBUTE_ADMIN,
		     .since = 58),
};
#undef S
static const struct attributes snapshot_members = ATTRIBUTES(snapshot_rows);

#define SNAPSHOTS(count)                                                                                     \
	{                                                                                                    \
		.kind = KIND_VOLUME_GROUP_SNAPSHOT, .items = "group_snapshots",                              \
		.links = "group_snapshot_links", .flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST,                 \
		.page_max = 1000, .attributes = &snapshot_members, .shown_count = (count),                   \
	}
static const struct os_listing briefs = SNAPSHOTS(BRIEF_COUNT);
static const struct os_listing made = SNAPSHOTS(MADE_COUNT);
const struct os_listing os_group_snapshot_details = SNAPSHOTS(0);

#define SNAPSHOT_PATH(T, member)                                                                             \
	OS_PATH(T, "group_snapshot_id", member, .kind = KIND_VOLUME_GROUP_SNAPSHOT,                          \
		.doc = "The group snapshot.")

struct os_group_snapshot_target {
	struct volume_group_snapshot_target wish;
};
static const struct param target_params[] = {
	SNAPSHOT_PATH(struct os_group_snapshot_target, wish.group_snapshot)};

struct os_group_snapshot_create {
	struct volume_group_snapshot_wish wish;
};
#define P(wire, member, ...) OS_BODY(struct os_group_snapshot_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("group_id", wish.group, .flags = REQUIRED, .kind = KIND_VOLUME_GROUP, .doc = "The volume group."),
	P("name", wish.name, .flags = NULLABLE, .doc = "Name of the group snapshot and of its snapshots."),
	P("description", wish.description, .flags = NULLABLE,
	  .doc = "Description of the group snapshot and of its snapshots."),
};
#undef P

struct os_group_snapshot_reset {
	struct volume_group_snapshot_marking wish;
};
static const struct param reset_params[] = {
	SNAPSHOT_PATH(struct os_group_snapshot_reset, wish.group_snapshot),
	OS_BODY(struct os_group_snapshot_reset, "status", wish.status, .flags = REQUIRED,
		.doc = "New status."),
};

#define ALL "/v3/{project_id}/group_snapshots"
#define ONE ALL "/{group_snapshot_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .since = 14, .permit = "group:get_all_group_snapshots", .list = &briefs,
	 .doc = "Lists the group snapshots of the project with id and name."},
	{HTTP_GET, ALL "/detail", .since = 14, .permit = "group:get_all_group_snapshots",
	 .list = &os_group_snapshot_details, .doc = "Lists the group snapshots of the project with details."},
	{HTTP_POST, ALL, .since = 14, .permit = "group:create_group_snapshot", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_group_snapshot_create, create_params),
	 .wrap = "group_snapshot", .item = "group_snapshot",
	 .operation = engine_create_volume_group_snapshot_run,
	 OS_SHOWS(made, struct os_group_snapshot_create, wish.group_snapshot),
	 .returns = KIND_VOLUME_GROUP_SNAPSHOT, .doc = "Creates a snapshot of each volume of a group."},
	{HTTP_GET, ONE, .since = 14, .permit = "group:get_group_snapshot",
	 .args = OS_PARAMS(struct os_group_snapshot_target, target_params), .item = "group_snapshot",
	 OS_SHOWS(os_group_snapshot_details, struct os_group_snapshot_target, wish.group_snapshot),
	 .doc = "Shows one group snapshot."},
	{HTTP_DELETE, ONE, .since = 14, .permit = "group:delete_group_snapshot", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_group_snapshot_target, target_params),
	 .operation = engine_delete_volume_group_snapshot_run,
	 .doc = "Deletes a group snapshot and its snapshots."},
	{HTTP_POST, ONE "/action", .verb = "reset_status", .since = 19,
	 .permit = "group:reset_group_snapshot_status", .flags = API_WRITES | OS_ADMIN, .status = 202,
	 .args = OS_PARAMS(struct os_group_snapshot_reset, reset_params),
	 .operation = engine_mark_volume_group_snapshot_run,
	 .doc = "Resets the status of a group snapshot; available restores the status of its snapshots."},
};
const struct os_actions os_group_snapshot_actions = OS_ACTIONS(OS_VOLUME, actions);
