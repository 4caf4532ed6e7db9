/* SPDX-License-Identifier: Apache-2.0
 * Topics that a group tells of its instances. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"

#define TYPES                                                                                                \
	"autoscaling:EC2_INSTANCE_LAUNCH|autoscaling:EC2_INSTANCE_LAUNCH_ERROR|"                             \
	"autoscaling:EC2_INSTANCE_TERMINATE|autoscaling:EC2_INSTANCE_TERMINATE_ERROR|"                       \
	"autoscaling:TEST_NOTIFICATION"
#define TOPIC(T, member)                                                                                     \
	PARAM(T, "TopicARN", member, .flags = REQUIRED, .min = 1, .max = 400,                                \
	      .doc = "A topic of the account.")

struct put_args {
	struct scaling_notification_wish wish;
	struct str group;
	struct strs types;
};
static const struct param put_params[] = {
	AUTOSCALING_GROUP(struct put_args, group),
	TOPIC(struct put_args, wish.topic),
	PARAM(struct put_args, "NotificationTypes.member", types, .flags = REQUIRED, .words = TYPES,
	      .doc = "Events that the topic is told of."),
};
static const struct param delete_params[] = {
	AUTOSCALING_GROUP(struct put_args, group),
	TOPIC(struct put_args, wish.topic),
};

static bool is_named(struct strs types, const char *type)
{
	for (size_t k = 0; k < types.count; k++)
		if (str_is(types.at[k], type))
			return true;
	return false;
}

/* Each type once, in the order of the list of types. */
static RESULT prepare_put(struct autoscaling_call *e, void *args)
{
	struct put_args *a = args;
	for (size_t k = 0; k < SCALING_EVENTS; k++)
		if (is_named(a->types, scaling_events[k]))
			a->wish.types = str_print(e->c->arena, "%" STR_FMT "%s%s", STR_ARG(a->wish.types),
						  a->wish.types.n ? "|" : "", scaling_events[k]);
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

static RESULT prepare_delete(struct autoscaling_call *e, void *args)
{
	struct put_args *a = args;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

/* ---- lists ---- */

struct list_args {
	struct strs groups;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "AutoScalingGroupNames.member", groups, .min = 1, .max = SCALING_NAME_MAX,
	      .doc = "Only those of these groups."),
	AUTOSCALING_PAGES(struct list_args, pages),
};

static void write_types(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g, size_t at,
			struct query_page *page)
{
	struct str rest = g->notifications.at[at + NOTIFICATION_TYPES], type;
	struct str topic = g->notifications.at[at + NOTIFICATION_TOPIC];
	while (str_split_next(&rest, '|', &type)) {
		struct str key = str_print(e->c->arena, "%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
					   STR_ARG(g->name), STR_ARG(topic), STR_ARG(type));
		if (!query_page_takes(page, key))
			continue;
		xml_open(x, "member");
		xml_text(x, "AutoScalingGroupName", g->name);
		xml_text(x, "TopicARN", topic);
		xml_text(x, "NotificationType", type);
		xml_close(x, "member");
	}
}

/* Lists one item for each type. */
static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	xml_open(x, "NotificationConfigurations");
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account); g;
	     g = scaling_group_next_by_account(t, g)) {
		if (!request_asks_for(a->groups, g->name) || !g->notifications.count)
			continue;
		TRY(engine_check_found(e->c, t, KIND_SCALING_GROUP, &g->row));
		for (size_t k = 0; k + NOTIFICATION_TEXTS <= g->notifications.count; k += NOTIFICATION_TEXTS)
			write_types(e, x, g, k, &page);
	}
	xml_close(x, "NotificationConfigurations");
	autoscaling_close_page(e, x, &page);
	return OK;
}

struct no_args {
	bool none;
};

static RESULT answer_types(struct autoscaling_call *e, const void *args, struct xml *x)
{
	(void) e;
	(void) args;
	autoscaling_write_words(x, "AutoScalingNotificationTypes", NULL, TYPES);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("PutNotificationConfiguration"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, put_params), .prepare = prepare_put,
	 .operation = engine_put_scaling_notification_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Has a topic told of a group's instances, and sends it a test message."},
	{AUTOSCALING_ACTION("DeleteNotificationConfiguration"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_scaling_notification_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Has it told no more."},
	{AUTOSCALING_ACTION("DescribeNotificationConfigurations"),
	 .args = PARAMS(struct list_args, list_params), .answer = answer_list,
	 .doc = "Topics that groups tell."},
	{AUTOSCALING_ACTION("DescribeAutoScalingNotificationTypes"),
	 .args = {NULL, 0, sizeof(struct no_args)}, .answer = answer_types,
	 .doc = "Events that topics are told of."},
};
const struct api_actions autoscaling_notification_actions = API_ACTIONS(actions);
