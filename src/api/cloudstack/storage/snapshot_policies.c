/* SPDX-License-Identifier: Apache-2.0
 * Snapshot policies: recurring snapshots of volumes. Source: API reference, "Snapshot", 4.18.
 */
#include "api/cloudstack/region/region.h"
#include "base/time_zone.h"
#include "engine/storage/snapshot/snapshot_policy.h"
#include "engine/tag.h"
#include "model/volume.h"
#include "store/snapshot_policy.h"
#include "store/zone.h"

struct list_policies {
	struct cs_list_args list;
	struct ref volume, project;
	enum choice is_shown;
};
#define P(wire, member, ...) PARAM(struct list_policies, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_policies, KIND_SNAPSHOT_POLICY),
	CS_OWNER_PARAMS(struct list_policies),
	CS_PROJECT_PARAM(struct list_policies, project),
	P("volumeid", volume, .kind = KIND_VOLUME, .fits = FITS(snapshot_policy, volume), .doc = "Volume."),
	P("fordisplay", is_shown, .doc = "false: lists policies that are disabled."),
};
#undef P

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	(void) e;
	return snapshot_policy_of(row)->targets == SNAPSHOT_POLICY_TARGETS_ONE_VOLUME &&
	       snapshot_policy_of(row)->is_active ==
		       (((const struct list_policies *) args)->is_shown != CHOICE_NO);
}

/* CloudStack's numbers of intervals follow this order. */
static void write_interval(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) e;
	json_write_int(w, name, (int64_t) snapshot_policy_of(row)->interval);
}

static void write_zones(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct uuids zones = snapshot_policy_of(row)->zones;
	if (!zones.count)
		return;
	json_write_open_list(w, name);
	for (size_t k = 0; k < zones.count; k++) {
		const struct zone *zone = zone_find(api_tables(e), zones.at[k]);
		if (!zone)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "id", uuid_to_str(e->c->arena, zone->row.id));
		json_write_text(w, "name", zone->name);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static const struct member members[] = {
	MEMBER(struct snapshot_policy, "id", row.id),
	MEMBER(struct snapshot_policy, "volumeid", volume),
	MEMBER(struct volume, "volumename", name, .path = {JOIN_ONE(KIND_VOLUME, snapshot_policy, volume)}),
	MEMBER(struct snapshot_policy, "schedule", schedule),
	MEMBER_WRITTEN("intervaltype", write_interval),
	MEMBER(struct snapshot_policy, "maxsnaps", kept),
	MEMBER(struct snapshot_policy, "timezone", timezone),
	MEMBER(struct snapshot_policy, "fordisplay", is_active),
	MEMBER_WRITTEN("zone", write_zones),
	MEMBER_WRITTEN("tags", cs_write_tags),
};
static const struct api_listing policies =
	CS_LISTING(KIND_SNAPSHOT_POLICY, "snapshotpolicy", members, .matches = matches);

/* ---- changes ---- */

enum { ZONES_MAX = 64 };

struct make_policy {
	struct snapshot_policy_wish wish;
	struct str interval;
	struct refs zones;
};
#define P(wire, member, ...) PARAM(struct make_policy, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("volumeid", wish.volume, .kind = KIND_VOLUME, .flags = REQUIRED, .doc = "Volume."),
	P("intervaltype", interval, .flags = REQUIRED,
	  .doc = "Interval: HOURLY, DAILY, WEEKLY or MONTHLY. A volume has one policy of each, which is "
		 "created or changed."),
	P("schedule", wish.schedule, .flags = REQUIRED,
	  .doc = "Schedule: MM, MM:HH, MM:HH:DD with the day of the week (1 is Sunday), or MM:HH:DD with the "
		 "day of the month (up to 28)."),
	P("timezone", wish.timezone, .flags = REQUIRED,
	  .doc = "Time zone of the schedule, such as Europe/Berlin."),
	P("maxsnaps", wish.kept, .flags = REQUIRED, .doc = "Number of snapshots to keep; at most 8."),
	P("fordisplay", wish.is_active,
	  .doc = "false: disables the policy. Lists then show it only on request."),
	PARAM_LIST(struct make_policy, "tags", wish.tags, cs_tag_params, .max = TAG_COUNT_MAX,
		   .doc = "Tags of the snapshots, as tags[0].key and tags[0].value."),
	P("zoneids", zones, .kind = KIND_ZONE, .max = ZONES_MAX, .doc = CS_EVERY_ZONE),
	NOT_BUILT("storageids"),
	NOT_BUILT("usestoragereplication", .only = "false"),
};
#undef P

/* Refuses an unknown timezone, which CloudStack would take for GMT. The message is our own. */
static RESULT prepare_create(struct cs_call *e, void *args)
{
	static const char *const words[] = {"HOURLY", "DAILY", "WEEKLY", "MONTHLY"};
	struct make_policy *a = args;
	const struct time_zone *zone = NULL;
	size_t k = 0;
	TRY(cs_find_zones(e, &a->zones, &a->wish.zones));
	while (k < sizeof words / sizeof words[0] && !str_equal_nocase(a->interval, str_from(words[k])))
		k++;
	if (k == sizeof words / sizeof words[0])
		return cs_fail(e, "intervaltype", "Unsupported interval type %" STR_FMT,
			       STR_ARG(a->interval));
	a->wish.interval = (enum snapshot_policy_interval) k;
	struct result result = time_zone_load(e->c, a->wish.timezone, &zone);
	return result.code == ERR_INVALID
		       ? cs_fail(e, "timezone", "%" STR_FMT, STR_ARG(e->c->problem.message))
		       : result;
}

static const struct param update_params[] = {
	PARAM(struct snapshot_policy_settings, "id", policy, .kind = KIND_SNAPSHOT_POLICY, .flags = REQUIRED,
	      .doc = "The policy."),
	PARAM(struct snapshot_policy_settings, "fordisplay", is_active,
	      .doc = "Whether the policy takes snapshots."),
	NOT_BUILT("customid"),
};

struct drop_policies {
	struct snapshot_policies_target wish;
	struct ref id;
};
static const struct param delete_params[] = {
	PARAM(struct drop_policies, "id", id, .kind = KIND_SNAPSHOT_POLICY, .doc = "The policy."),
	PARAM(struct drop_policies, "ids", wish.policies, .kind = KIND_SNAPSHOT_POLICY, .max = CS_PAGE_MAX,
	      .doc = "Several policies, instead of one."),
};

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	struct drop_policies *a = args;
	if (!a->wish.policies.count && ref_is_given(&a->id))
		a->wish.policies = (struct refs){&a->id, 1};
	return a->wish.policies.count ? OK : cs_fail(e, "id", "No policy id (or list of ids) specified.");
}

static const struct cs_action actions[] = {
	{CS_ACTION("listSnapshotPolicies", "ec2:DescribeSnapshotPolicies"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_policies, list_params), .listing = &policies,
	 .doc = "Lists snapshot policies."},
	{CS_ACTION("createSnapshotPolicy", "ec2:CreateSnapshotPolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct make_policy, create_params), .prepare = prepare_create,
	 .operation = engine_put_snapshot_policy_run, .returns = KIND_SNAPSHOT_POLICY,
	 CS_SUBJECT(struct make_policy, wish.policy), .shows = &policies,
	 .doc = "Creates or changes the snapshot policy of a volume and an interval."},
	{CS_ACTION("updateSnapshotPolicy", "ec2:ModifySnapshotPolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct snapshot_policy_settings, update_params),
	 .operation = engine_update_snapshot_policy_run,
	 CS_SUBJECT(struct snapshot_policy_settings, policy.prefix), .shows = &policies, CS_JOB(NOW),
	 .doc = "Enables or disables a snapshot policy."},
	{CS_ACTION("deleteSnapshotPolicies", "ec2:DeleteSnapshotPolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct drop_policies, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_snapshot_policies_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes snapshot policies. Their snapshots stay."},
};
const struct api_actions cs_snapshot_policy_actions = API_ACTIONS(actions);
