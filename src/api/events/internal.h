/* SPDX-License-Identifier: Apache-2.0
 * Private to api/events/: actions and calls, beyond the members that all faces share (api/core/action.h). */
#pragma once

#include "api/core/params.h"
#include "api/events/events.h"
#include "api/query/target.h"
#include "base/json_write.h"
#include "engine/events/events.h"

#define EVENTS_ACTION(word) .name = (word), .permit = "events:" word

extern const struct api_actions events_rule_actions, events_target_actions, events_bus_actions,
	events_tag_actions;
extern const struct api_errors events_errors;

enum { EVENTS_PAGE_MAX = 100, EVENTS_TAGS_MAX = 50, EVENTS_ARN_MAX = 1600 };

/* ---- events.c ---- */

/* Fails with ERR_INVALID, which becomes a ValidationException. */
RESULT events_fail(struct target_call *e, const char *field, const char *words, struct str value);
/* Checks the name or ARN of the bus, which is "default"; empty: absent. ERR_NOT_FOUND. */
RESULT events_check_bus(struct target_call *e, struct str bus);
struct str events_write_bus_arn(struct target_call *e);
#define EVENTS_BUS_PARAM(T, ...)                                                                             \
	PARAM(T, "EventBusName", bus, .min = 1, .max = EVENTS_ARN_MAX,                                       \
	      .doc = "Event bus: default, or its ARN.")

/* ---- tags.c ---- */

extern const struct params events_tag_params; /* filling struct tag */

/* ---- pages ---- */

/* A page of a list in order of names: the token contains the last name of the page before. */
struct events_page {
	struct str token;
	int64_t limit;
	struct str behind; /* made: names up to this one are on earlier pages */
};
#define EVENTS_PAGE_PARAMS(T)                                                                                \
	PARAM(T, "NextToken", page.token, .min = 1, .max = 2048,                                             \
	      .doc = "Token of the next page, from the previous answer."),                                   \
		PARAM(T, "Limit", page.limit, .min = 1, .max = EVENTS_PAGE_MAX, .absent = "100",             \
		      .doc = "Maximum number of results in one page.")
RESULT events_read_page(struct target_call *e, struct events_page *page);
void events_write_token(struct target_call *e, struct json_writer *w, struct str last);

/* ---- rules.c ---- */

#define EVENTS_RULE_PARAM(T, wire, member)                                                                   \
	PARAM(T, wire, member, .flags = REQUIRED, .min = 1, .max = EVENT_NAME_MAX, .doc = "Name of the rule.")
/* Checks the characters of a name, or of its beginning; empty: absent. ERR_INVALID. */
RESULT events_check_name(struct target_call *e, const char *field, struct str name);
/* A rule of the caller's account by its name. ERR_NOT_FOUND. */
RESULT events_find_rule(struct target_call *e, struct str name, const char *field, struct ref *ret_ref);
struct str events_write_rule_arn(struct target_call *e, const struct event_rule *rule);
