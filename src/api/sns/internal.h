/* SPDX-License-Identifier: Apache-2.0
 * Private to api/sns/: declares actions and calls; finds topics and subscriptions by ARN. */
#pragma once

#include "api/core/dispatch.h"
#include "api/query/pages.h"
#include "api/query/request.h"
#include "api/sns/sns.h"
#include "base/xml.h"
#include "engine/messaging/messaging.h"

struct sns_call {
	API_CALL_BASE;
	bool is_certificate; /* the path of the certificate */
};
struct sns_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct sns_call *e, void *args);
	RESULT (*answer)(struct sns_call *e, const void *args, struct xml *x); /* NULL: no result */
};
#define SNS_ACTION(word) .name = (word), .permit = "sns:" word

API_DEFINE_FACE(sns)

extern const struct api_actions sns_topic_actions, sns_subscription_actions, sns_publish_actions,
	sns_certificate_actions, sns_permission_actions;
extern const struct api_groups sns_action_groups;

/* ---- errors.c ---- */

#define SNS_VERSION "2010-03-31"
#define SNS_NAMESPACE STR("http://sns.amazonaws.com/doc/" SNS_VERSION "/")
extern const struct api_errors sns_errors;
/* "Invalid parameter: FIELD Reason: An ARN must have at least 6 elements, not 1" */
RESULT sns_check_arn(struct sns_call *e, struct str arn, const char *field);
/* "Invalid parameter: FIELD Reason: …". ERR_INVALID with the field. */
RESULT sns_fail(struct sns_call *e, const char *field, const char *reason);
/* ERR_UNSUPPORTED with the field, by that name. */
RESULT sns_refuse(struct sns_call *e, const char *field, struct str name);

/* ---- subscriptions.c ---- */

/* Words of protocols, by enum topic_subscription_protocol. */
extern const char *const sns_protocols[TOPIC_PROTOCOLS];
/* True for a phone number in the form of E.164: "+15551234567". */
bool sns_is_number(struct str text);

/* ---- topics.c ---- */

#define SNS_TOPIC(T, member)                                                                                 \
	PARAM(T, "TopicArn", member, .flags = REQUIRED, .min = 1, .max = MESSAGING_ARN_MAX,                  \
	      .doc = "ARN of the topic.")
#define SNS_PAGE(T, member)                                                                                  \
	PARAM(T, "NextToken", member.token, .min = 1, .max = 2048,                                           \
	      .doc = "Token of the next page, from the previous answer.")
enum { SNS_ITEMS_OF_A_PAGE = 100 };

/* Finds a topic by its ARN, in the caller's account or in another one whose topic policy admits the caller. ERR_NOT_FOUND;
 * ERR_INVALID: the text is not a topic's ARN. */
RESULT sns_find_topic(struct sns_call *e, struct str arn, const char *field, struct ref *ret_ref);
RESULT sns_find_topic_row(struct sns_call *e, struct str arn, const char *field,
			  const struct topic **ret_topic);
struct str sns_arn(struct sns_call *e, enum kind kind, const struct row *row);

/* The number of the account that owns the topic, or the topic of the subscription; row NULL: the caller's. */
struct str sns_owner_number(struct sns_call *e, enum kind kind, const struct row *row);

/* ---- policy.c ---- */

/* Names of the actions in policies of topics; ends with NULL. */
extern const char *const sns_policy_actions[];
/* Checks a new policy of the topic. ERR_INVALID, in SNS's words. */
RESULT sns_check_policy(struct sns_call *e, struct str owner_number, struct str topic, struct str policy);

/* ---- entries ---- */

struct sns_entry {
	struct str name, value;
};
struct sns_entries {
	struct sns_entry *at;
	size_t count;
};
extern const struct params sns_entry_params; /* "Attributes.entry.1.key", …value */
/* <entry><key>…</key><value>…</value></entry> */
void sns_write_entry(struct xml *x, const char *key, struct str value);
/* Name of a dead-letter queue from a RedrivePolicy; an empty policy: none. */
RESULT sns_read_redrive(struct sns_call *e, struct str policy, struct str *ret_queue);
