/* SPDX-License-Identifier: Apache-2.0
 * Private to api/iam/: what an action of IAM is, and what a call of one carries. As in api/ec2/action.h, but
 * for what IAM has not: no dry runs, no looks at hosts, no kept answers. */
#pragma once

#include "api/face.h"
#include "api/iam/iam.h"
#include "api/query/params.h"
#include "auth/guard.h"
#include "auth/policy.h"
#include "base/xml.h"
#include "engine/policy.h"
#include "store/rows.h"

struct iam_call;

struct iam_action {
	const char *name;
	const char *permit; /* "iam:CreatePolicy" */
	struct params args;
	RESULT (*prepare)(struct iam_call *e, void *args);
	op_run operation; /* a change; its wish stands at the beginning of the args struct */
	RESULT (*answer)(struct iam_call *e, const void *args, struct xml *x); /* NULL: there is no result */
	const char *doc;
};

extern const struct iam_action iam_actions[];
extern const size_t iam_action_count;

struct iam_call {
	struct call *call;
	struct ctx *c; /* the call's */
	const struct iam_config *config;
	const struct iam_action *action;
	struct pairs pairs;
	void *args;
	struct face_change change;
	struct view view; /* open from iam_walk() to the end of the answer, or of prepare */
};

/* The tables of a view that walks. */
const struct tables *iam_walk(struct iam_call *e);

/* ---- policies.c ---- */

/* The policy of that ARN, by its id. ERR_NOT_FOUND. */
RESULT iam_find_policy(struct iam_call *e, struct str arn, const char *field, struct ref *ret_policy);
/* Its ARN in the caller's account. */
struct str iam_policy_arn(struct iam_call *e, const struct policy *policy);

/* ---- what actions.c sums up: parameters, and handlers by file ---- */

struct iam_policy_args { /* of whatever reads of managed policies and holders */
	struct ref user, group;
	struct str arn, version, name, scope, path, marker;
	int64_t max_items;
	bool only_attached;
	struct ref policy; /* of the ARN; set by prepare */
};

/* Prepares what names a policy by its ARN. */
RESULT iam_prepare_policy(struct iam_call *e, void *args);
/* GetPolicy. */
RESULT iam_get_policy(struct iam_call *e, const void *args, struct xml *x);
/* GetPolicyVersion. */
RESULT iam_get_version(struct iam_call *e, const void *args, struct xml *x);
/* ListPolicies. */
RESULT iam_list_policies(struct iam_call *e, const void *args, struct xml *x);
/* ListPolicyVersions. */
RESULT iam_list_versions(struct iam_call *e, const void *args, struct xml *x);
/* ListAttachedUserPolicies and ListAttachedGroupPolicies. */
RESULT iam_list_attached(struct iam_call *e, const void *args, struct xml *x);
/* ListUserPolicies and ListGroupPolicies. */
RESULT iam_list_inline(struct iam_call *e, const void *args, struct xml *x);
/* GetUserPolicy and GetGroupPolicy. */
RESULT iam_get_inline(struct iam_call *e, const void *args, struct xml *x);

struct iam_create_policy {
	struct policy_wish wish; /* first */
};
/* CreatePolicy. */
RESULT iam_prepare_create(struct iam_call *e, void *args);
/* Its answer. */
RESULT iam_answer_create(struct iam_call *e, const void *args, struct xml *x);

struct iam_delete_policy {
	struct policy_target wish;
	struct str arn;
};
/* DeletePolicy. */
RESULT iam_prepare_delete(struct iam_call *e, void *args);

struct iam_create_version {
	struct policy_version_wish wish;
	struct str arn;
};
/* CreatePolicyVersion. */
RESULT iam_prepare_version(struct iam_call *e, void *args);
/* Its answer. */
RESULT iam_answer_version(struct iam_call *e, const void *args, struct xml *x);

struct iam_change_version {
	struct policy_version_target wish;
	struct str arn, version;
};
/* DeletePolicyVersion and SetDefaultPolicyVersion. */
RESULT iam_prepare_change_version(struct iam_call *e, void *args);

struct iam_attach {
	struct policy_attachment_wish wish;
	struct str arn;
};
/* Attaching to and detaching from users and groups. */
RESULT iam_prepare_attach(struct iam_call *e, void *args);
/* PutUserPermissionsBoundary and DeleteUserPermissionsBoundary. */
RESULT iam_prepare_boundary(struct iam_call *e, void *args);

/* Put and Delete of a user's or group's own policy: args is a struct inline_policy_wish. */
RESULT iam_prepare_inline(struct iam_call *e, void *args);

/* ---- simulate.c ---- */

struct iam_context_entry {
	struct str key, type;
	struct strs values;
};
struct iam_context_entries {
	const struct iam_context_entry *at;
	size_t count;
};
struct iam_simulation {
	struct str source_arn;
	struct strs documents, boundaries, actions, resources;
	struct iam_context_entries context;
	struct str marker;
	int64_t max_items;
};
extern const struct params iam_context_params;
/* Both simulations. */
RESULT iam_simulate(struct iam_call *e, const void *args, struct xml *x);
