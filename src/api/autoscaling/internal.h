/* SPDX-License-Identifier: Apache-2.0
 * Private to api/autoscaling/: declares the service's actions and calls, and members that several answers share. */
#pragma once

#include "api/autoscaling/autoscaling.h"
#include "api/core/dispatch.h"
#include "api/query/pages.h"
#include "api/query/request.h"
#include "base/xml.h"
#include "engine/scaling/scaling.h"

struct autoscaling_call {
	API_CALL_BASE;
};
struct autoscaling_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct autoscaling_call *e, void *args);
	RESULT(*answer)
	(struct autoscaling_call *e, const void *args, struct xml *x); /* NULL: an empty result */
};
/* The action's name, and its name in policies. */
#define AUTOSCALING_ACTION(word) .name = (word), .permit = "autoscaling:" word

API_DEFINE_FACE(autoscaling)

extern const struct api_actions autoscaling_group_actions, autoscaling_list_actions,
	autoscaling_capacity_actions, autoscaling_instance_actions, autoscaling_activity_actions,
	autoscaling_target_actions, autoscaling_hook_actions, autoscaling_policy_actions,
	autoscaling_schedule_actions, autoscaling_configuration_actions, autoscaling_tag_actions,
	autoscaling_type_actions, autoscaling_metric_actions, autoscaling_notification_actions,
	autoscaling_refresh_actions, autoscaling_pool_actions;
extern const struct api_groups autoscaling_action_groups;

/* ---- errors.c ---- */

#define AUTOSCALING_VERSION "2011-01-01"
#define AUTOSCALING_NAMESPACE STR("http://autoscaling.amazonaws.com/doc/" AUTOSCALING_VERSION "/")
extern const struct api_errors autoscaling_errors;

/* ---- names.c: names, ARNs, pages ---- */

enum { AUTOSCALING_ARN_MAX = 1600, AUTOSCALING_RECORDS_MAX = 100, AUTOSCALING_RECORDS = 50 };

#define AUTOSCALING_GROUP(T, member)                                                                         \
	PARAM(T, "AutoScalingGroupName", member, .flags = REQUIRED, .min = 1, .max = SCALING_NAME_MAX,       \
	      .doc = "Auto Scaling group by name.")
#define AUTOSCALING_NAME(T, name, member, ...)                                                               \
	PARAM(T, name, member, .min = 1, .max = SCALING_NAME_MAX, __VA_ARGS__)
#define AUTOSCALING_PAGES_TO(T, member, most)                                                                \
	PARAM(T, "MaxRecords", member.size, .min = 1, .max = (most),                                         \
	      .doc = "Maximum number of results in one page."),                                              \
		PARAM(T, "NextToken", member.token, .min = 1, .max = 2048,                                   \
		      .doc = "Token of the next page, from the previous answer.")
#define AUTOSCALING_PAGES(T, member) AUTOSCALING_PAGES_TO(T, member, AUTOSCALING_RECORDS_MAX)

/* Target and role of a lifecycle hook, in a struct scaling_hook_wish. */
#define AUTOSCALING_TARGET(T, wish)                                                                          \
	PARAM(T, "NotificationTargetARN", wish.target, .max = 400,                                           \
	      .given = offsetof(T, wish.has_target) + 1,                                                     \
	      .doc = "A queue or topic of the account that is told of each instance; empty: none any "       \
		     "more."),                                                                               \
		PARAM(T, "RoleARN", wish.role, .min = 1, .max = 600,                                         \
		      .given = offsetof(T, wish.has_role) + 1,                                               \
		      .doc = "A role of the account that the caller may pass on; a target needs it.")
/* Finds a group of the caller's account by its name. ERR_NOT_FOUND with the kind. */
RESULT autoscaling_find_group(struct autoscaling_call *e, struct str name, const char *field,
			      struct ref *ret_ref);
/* The same, as a row; the guard decides about it. */
RESULT autoscaling_find_group_row(struct autoscaling_call *e, struct str name,
				  const struct scaling_group **ret_group);
/* Finds target groups by their ARNs. */
RESULT autoscaling_find_targets(struct autoscaling_call *e, struct strs arns, const char *field,
				struct refs *ret_refs);
/* A printable name without ':' and '/'. ERR_INVALID with the field. */
RESULT autoscaling_check_name(struct autoscaling_call *e, struct str name, const char *field);
/* The ARN of a group, a policy or a launch configuration. */
struct str autoscaling_arn(struct autoscaling_call *e, enum kind kind, const struct row *row);
/* Pages by NextToken. */
RESULT autoscaling_open_page(struct autoscaling_call *e, const struct query_pages *asked,
			     struct query_page *ret_page);
/* NextToken, if there are more items. */
void autoscaling_close_page(struct autoscaling_call *e, struct xml *x, const struct query_page *page);
/* ERR_UNSUPPORTED with the field. */
RESULT autoscaling_refuse(struct autoscaling_call *e, const char *field, const char *words);
/* A list of members with texts. */
void autoscaling_write_texts(struct xml *x, const char *name, const struct strs *texts);
/* Members of a list of words, separated by bars. */
void autoscaling_write_words(struct xml *x, const char *list, const char *member, const char *words);

/* ---- what several answers have ---- */

/* The tags of a group, as a list and one by one. */
void autoscaling_write_tags(struct xml *x, const struct scaling_group *group);
void autoscaling_write_tag(struct xml *x, const struct scaling_group *group, const struct tag *tag);
/* An instance of a group; has_group: with the group's name, as in its own list. */
void autoscaling_write_member(struct autoscaling_call *e, struct xml *x, const struct scaling_member *m,
			      bool has_group);
/* An activity, as an element of that name. */
void autoscaling_write_activity(struct autoscaling_call *e, struct xml *x, const char *name,
				const struct scaling_activity *a);
/* "arn:aws:elasticloadbalancing:…"; empty: the target group is gone. */
struct str autoscaling_target_arn(struct autoscaling_call *e, uuid target_group);
/* The name of the Classic Load Balancer whose target group it is; empty: it is another's. */
struct str autoscaling_balancer_name(struct autoscaling_call *e, uuid target_group);
/* The target groups of Classic Load Balancers by their names. */
RESULT autoscaling_find_balancers(struct autoscaling_call *e, struct strs names, const char *field,
				  struct refs *ret_refs);

/* WarmPoolConfiguration; nothing if the group has no warm pool. */
void autoscaling_write_pool(struct xml *x, const struct scaling_group *g);

/* The launch configuration, launch template or mixed instances policy that a group launches by. */
void autoscaling_write_source(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g);

/* ---- tags.c ---- */

struct autoscaling_tag {
	struct str resource, type, key, value;
	enum choice propagates;
	bool has_value;
};
struct autoscaling_tags {
	struct autoscaling_tag *at;
	size_t count;
};
enum { AUTOSCALING_TAGS_MAX = 50 };
extern const struct params autoscaling_tag_params; /* filling struct autoscaling_tag */
