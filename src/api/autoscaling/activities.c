/* SPDX-License-Identifier: Apache-2.0
 * DescribeScalingActivities. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/scaling_activity.h"
#include "store/zone.h"

static const struct shown {
	const char *word;
	int64_t progress;
} statuses[] = {
	[SCALING_ACTIVITY_STATUS_IN_PROGRESS] = {"InProgress", 50},
	[SCALING_ACTIVITY_STATUS_SUCCESSFUL] = {"Successful", 100},
	[SCALING_ACTIVITY_STATUS_FAILED] = {"Failed", 100},
	[SCALING_ACTIVITY_STATUS_CANCELLED] = {"Cancelled", 100},
	[SCALING_ACTIVITY_STATUS_MID_ACTION] = {"MidLifecycleAction", 40},
};

static struct str details_of(struct autoscaling_call *e, const struct scaling_activity *a)
{
	const struct zone *zone = zone_find(autoscaling_tables(e), a->zone);
	if (!zone)
		return STR("{}");
	if (uuid_is_none(a->subnet))
		return str_print(e->c->arena, "{\"Availability Zone\":\"%" STR_FMT "\"}",
				 STR_ARG(zone->name));
	return str_print(e->c->arena,
			 "{\"Subnet ID\":\"%" STR_FMT "\",\"Availability Zone\":\"%" STR_FMT "\"}",
			 STR_ARG(id_to_ec2(e->c->arena, KIND_SUBNET, a->subnet)), STR_ARG(zone->name));
}

void autoscaling_write_activity(struct autoscaling_call *e, struct xml *x, const char *name,
				const struct scaling_activity *a)
{
	const struct scaling_group *group = scaling_group_find(autoscaling_tables(e), a->scaling_group);
	xml_open(x, name);
	xml_text(x, "ActivityId", uuid_to_str(e->c->arena, a->row.id));
	if (group)
		xml_text(x, "AutoScalingGroupName", group->name);
	xml_text(x, "Description", a->description);
	xml_text(x, "Cause", a->cause);
	xml_time_ms(x, "StartTime", a->row.created_us);
	if (a->ended_us)
		xml_time_ms(x, "EndTime", a->ended_us);
	xml_z(x, "StatusCode", statuses[a->status].word);
	xml_text_opt(x, "StatusMessage", a->message);
	xml_int(x, "Progress", statuses[a->status].progress);
	xml_text(x, "Details", details_of(e, a));
	if (group)
		xml_text(x, "AutoScalingGroupARN", autoscaling_arn(e, KIND_SCALING_GROUP, &group->row));
	xml_close(x, name);
}

struct list_args {
	struct strs ids;
	struct str group;
	struct query_pages pages;
	bool deleted;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "ActivityIds.member", ids, .min = 1, .max = 64, .doc = "Activities by id."),
	AUTOSCALING_NAME(struct list_args, "AutoScalingGroupName", group, .doc = "Auto Scaling group."),
	NOT_BUILT("IncludeDeletedGroups", .only = "false"),
	AUTOSCALING_PAGES(struct list_args, pages),
	NOT_BUILT("Filters"),
};

static bool is_named(struct autoscaling_call *e, const struct list_args *a,
		     const struct scaling_activity *activity)
{
	struct str id = uuid_to_str(e->c->arena, activity->row.id);
	for (size_t k = 0; k < a->ids.count; k++)
		if (str_equal(a->ids.at[k], id))
			return true;
	return a->ids.count == 0;
}

struct found {
	VEC(const struct scaling_activity *) activities;
};

static RESULT gather(struct autoscaling_call *e, const struct list_args *a, const struct scaling_group *group,
		     struct found *found)
{
	const struct tables *t = autoscaling_tables(e);
	TRY(engine_check_found(e->c, t, KIND_SCALING_GROUP, &group->row));
	for (const struct scaling_activity *s = scaling_activity_first_by_scaling_group(t, group->row.id); s;
	     s = scaling_activity_next_by_scaling_group(t, s))
		if (is_named(e, a, s) && !VEC_PUSH(e->c->arena, &found->activities, s))
			return ctx_no_memory(e->c);
	return OK;
}

/* The newest first, as in AWS. Ids decide between activities of the same time: a page's token is the last activity's place in
 * this order, which has to be unambiguous. */
static int compare(const void *x, const void *y)
{
	const struct scaling_activity *a = *(const struct scaling_activity *const *) x,
				      *b = *(const struct scaling_activity *const *) y;
	if (a->row.created_us != b->row.created_us)
		return a->row.created_us > b->row.created_us ? -1 : 1;
	return uuid_compare(a->row.id, b->row.id);
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_group *group = NULL;
	struct found found = {0};
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	if (a->group.n)
		TRY(autoscaling_find_group_row(e, a->group, &group));
	if (group)
		TRY(gather(e, a, group, &found));
	group = group ? NULL : scaling_group_first_by_account(t, e->c->who->account);
	for (; group; group = scaling_group_next_by_account(t, group))
		TRY(gather(e, a, group, &found));
	if (found.activities.count)
		qsort(found.activities.at, found.activities.count, sizeof *found.activities.at, compare);
	xml_open(x, "Activities");
	for (size_t k = 0; k < found.activities.count; k++) {
		const struct scaling_activity *s = found.activities.at[k];
		struct str key = str_print(e->c->arena, "%020lld:%" STR_FMT,
					   (long long) (INT64_MAX - s->row.created_us),
					   STR_ARG(uuid_to_str(e->c->arena, s->row.id)));
		if (query_page_takes(&page, key))
			autoscaling_write_activity(e, x, "member", s);
	}
	xml_close(x, "Activities");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("DescribeScalingActivities"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the scaling activities of groups, with their causes."},
};
const struct api_actions autoscaling_activity_actions = API_ACTIONS(actions);
