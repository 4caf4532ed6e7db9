/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/sts*.c: assuming roles by a signature, a SAML assertion or a web identity token. */
#pragma once

#include "api/ec2/account/sts_factor.h"
#include "api/ec2/core/action.h"
#include "auth/policy/policy.h"
#include "auth/sign_in/session.h"
#include "engine/people/policy/iam_role.h"

struct account;
struct query_codes;
struct iam_role;

struct sts_policy_arn {
	struct str arn;
};
struct sts_policy_arns {
	const struct sts_policy_arn *at;
	size_t count;
};
struct sts_assume {
	struct sts_factor factor; /* of AssumeRole alone */
	struct str role_arn, name, policy, external_id;
	struct sts_policy_arns arns;
	struct tags tags;
	int64_t duration_s;
	int64_t ends_us; /* the session ends then at the latest; 0: as duration_s says */
};
extern const struct params sts_policy_arn_params, sts_tag_params;
extern const struct query_codes sts_codes;

/* Rows of a struct whose member before is a struct sts_assume, with its dot; or which is one. */
#define STS_ASSUME_PARAMS(T, before)                                                                         \
	PARAM(T, "RoleSessionName", before name, .flags = REQUIRED, .min = 2, .max = 64,                     \
	      .doc = "Name of the session in ARNs and records."),                                            \
		STS_ROLE_PARAMS(T, before)
/* The same without the session's name, which the assertion has. */
#define STS_ROLE_PARAMS(T, before)                                                                           \
	PARAM(T, "RoleArn", before role_arn, .flags = REQUIRED, .min = 20, .max = 2048,                      \
	      .doc = "ARN of the role."),                                                                    \
		PARAM(T, "DurationSeconds", before duration_s, .min = SESSION_S_MIN, .max = SESSION_S_MAX,   \
		      .doc = "Lifetime of the credentials in seconds, up to the role's maximum session "     \
			     "duration."),                                                                   \
		STS_POLICY_PARAMS(T, before, "Session policy, as JSON: limits the permissions of the role.")
/* Session policies; `doc` is the inline one's. */
#define STS_POLICY_PARAMS(T, before, text)                                                                   \
	PARAM(T, "Policy", before policy, .min = 1, .max = 2048, .doc = text),                               \
		PARAM_LIST(T, "PolicyArns.member", before arns, sts_policy_arn_params,                       \
			   .max = SESSION_POLICIES_MAX, .doc = "Managed policies used as session policies.")

/* Rows that the decision needs. They are valid until the answer is written. */
struct sts_taking {
	struct ec2_call *e;
	const struct sts_assume *args;
	const struct account *account;
	const struct iam_role *role; /* NULL: no role has that ARN */
	uuid policies[SESSION_POLICIES_MAX];
	struct str absent; /* ARN of a policy that does not exist; empty: all exist */
};

/* Lifetime of a user's own temporary credentials, in seconds. */
enum { OWN_SESSION_S_MAX = 129600, OWN_SESSION_S_ABSENT = 43200, OWNERS_SESSION_S_MAX = 3600 };
/* The asked lifetime (0: the default), which the root user's is cut short to an hour. */
int64_t sts_choose_own_duration(const struct identity *who, int64_t asked_s);
/* Sets times in whole seconds, as the answer shows them. */
void sts_set_times(struct session *session, int64_t duration_s);
void sts_write_credentials(struct xml *x, const struct session_credentials *credentials, int64_t expires_us);
/* PackedPolicySize; none without policies and tags. */
void sts_write_packed_size(const struct session *session, struct arena *a, struct xml *x);
/* Checks that text has letters, digits, '_' and characters of `more` alone. ERR_INVALID. */
RESULT sts_check_characters(struct ctx *c, struct str text, const char *more, const char *field);
/* Checks session tags. ERR_COMBINATION: a key twice. ERR_INVALID: a reserved key. */
RESULT sts_check_tags(struct ctx *c, struct tags tags);
/* Condition keys aws:RequestTag/… and aws:TagKeys of session tags. */
enum policy_known sts_find_request_tag(struct arena *a, struct tags tags, struct str key,
				       struct strs *ret_values);

/* .prepare of actions whose args begin with a struct sts_assume. ERR_INVALID. */
RESULT sts_prepare_assume(struct ec2_call *e, void *args);
/* Checks the form of a role's ARN. ERR_INVALID. */
RESULT sts_check_role_arn(struct ctx *c, struct str arn);
/* Checks an inline session policy; an empty text means no policy. ERR_INVALID. */
RESULT sts_check_policy(struct ctx *c, struct str policy);
/* The role of s->args, while the view's tables are held. */
void sts_find_role(struct sts_taking *s);
/* The session policies, in the role's account; likewise. */
void sts_find_policies(struct sts_taking *s);
/* The same and its policies; the view is read no more. */
void sts_look_up(struct sts_taking *s);
/* Checks that the role allows the session's duration and that its session policies exist. ERR_INVALID. */
RESULT sts_check_session(const struct sts_taking *s, int64_t *ret_duration_s);
/* Once it is permitted: AssumedRoleUser and Credentials. */
RESULT sts_grant(struct sts_taking *s, struct xml *x);
