/* SPDX-License-Identifier: Apache-2.0
 * IAM policies as rows: managed policies with up to five versions, inline policies, and their attachments.
 * Documents are plain text here; callers check them first (auth/policy/policy.h). Requires the account's owner, a
 * manager or a policy. In this file an account's users are its own and those of domains with a role on it;
 * the same applies to groups. The account's owner has no policies and is not restricted. A *principal* of
 * policies is a user, a group or an IAM role (iam_role.h). All accounts may attach AWS's managed policies,
 * and nobody may change them. */
#pragma once

#include "engine/operation.h"
#include "model/policy.h"

struct policy;
struct policy_attachment;
struct policy_version;
struct user;
struct user_group;

enum {
	POLICIES_MAX = 1500,               /* managed policies per account */
	POLICY_VERSIONS_MAX = 5,           /* versions per policy */
	POLICIES_ATTACHED_MAX = 10,        /* attachments per principal */
	POLICY_CHARACTERS_MAX = 6144,      /* per managed policy, without white space */
	POLICY_CHARACTERS_OF_USER = 2048,  /* all inline policies of a user together */
	POLICY_CHARACTERS_OF_GROUP = 5120, /* all inline policies of a group together */
	POLICY_CHARACTERS_OF_ROLE = 10240, /* all inline policies of a role together */
	POLICY_CHARACTERS_OF_TRUST = 2048, /* a role's trust policy */
};

struct policy_wish {
	struct str name, path, description, document; /* path empty: "/" */
	struct tags tags;
	/* result: */
	uuid policy;
};
OPERATION(engine_create_policy, policy_wish)

struct policy_target {
	struct ref policy;
};
OPERATION(engine_delete_policy,
	  policy_target) /* ERR_IN_USE: the policy is attached, or has versions other than the default */

struct policy_version_wish {
	struct ref policy;
	struct str document;
	bool is_default;
	/* result: */
	uuid made;
};
OPERATION(engine_create_policy_version, policy_version_wish)

struct policy_version_target {
	struct ref policy;
	int64_t number;
	struct str field;
};
OPERATION(engine_delete_policy_version, policy_version_target) /* ERR_IN_USE: it is the default version */
OPERATION(engine_set_default_policy_version, policy_version_target) /* no change if it is the default */

/* The wish names exactly one of user, user_group and iam_role. */
struct policy_attachment_wish {
	struct ref policy, user, user_group, iam_role;
	/* Sets the permissions boundary of a user or a role, replacing an earlier one. Detaching it does not
	 * need `policy`. */
	bool is_boundary;
};
OPERATION(engine_attach_policy, policy_attachment_wish) /* no change if the attachment exists */
OPERATION(engine_detach_policy, policy_attachment_wish) /* ERR_NOT_FOUND with KIND_POLICY_ATTACHMENT */

/* Inline policy of a user, a group or an IAM role, of which the wish names exactly one. Replaces an inline
 * policy with that name. */
struct inline_policy_wish {
	struct ref user, user_group, iam_role;
	struct str name, document, field;
};
OPERATION(engine_put_inline_policy, inline_policy_wish)
OPERATION(engine_delete_inline_policy, inline_policy_wish) /* ERR_NOT_FOUND with KIND_POLICY */

/* ---- queries: for the head or a view ---- */

/* Finds a policy of an account, or one of AWS's (aws_policy.h). NULL: not found. */
const struct policy *engine_find_policy(const struct tables *t, uuid id);
/* Finds the managed policy with that ARN, of the account or of AWS. NULL: not found. */
const struct policy *engine_find_policy_arn(struct arena *a, const struct tables *t, uuid account,
					    struct str arn);
/* Finds the version with that number. NULL: not found. */
const struct policy_version *engine_find_version(const struct tables *t, const struct policy *policy,
						 int64_t number);
/* The default version, or NULL. */
const struct policy_version *engine_find_default_version(const struct tables *t, const struct policy *policy);
/* A principal of policies. */
struct policy_principal {
	enum kind kind; /* KIND_USER, KIND_USER_GROUP or KIND_IAM_ROLE */
	const struct row *row;
};
/* Finds the principal of the caller's account that one of the refs names. ERR_NOT_FOUND: there is none, or it
 * is the account's owner. */
RESULT engine_find_policy_principal(struct ctx *c, const struct tables *t, const struct ref *user,
				    const struct ref *user_group, const struct ref *iam_role,
				    struct policy_principal *ret_principal);
/* True if the user is one of the account's in this sense: its own, or with a role on it, but not the owner.
 * The second function does the same for a group. */
bool engine_is_users_account(const struct tables *t, const struct user *user, uuid account);
bool engine_is_groups_account(const struct tables *t, const struct user_group *group, uuid account);
/* Finds a managed policy of the caller's account, or one of AWS's. */
RESULT engine_find_managed_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
				  const struct policy **ret_policy);
/* Finds a managed policy of the caller's account to change it. ERR_DENIED: the policy is AWS's. */
RESULT engine_find_own_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
			      const struct policy **ret_policy);
/* True for a managed policy, false for an inline one. */
static inline bool policy_is_managed(const struct policy *p)
{
	return uuid_is_none(p->user) && uuid_is_none(p->user_group) && uuid_is_none(p->iam_role);
}

/* Iterates over a principal's inline policies in all accounts, and over its attachments. NULL: end. */
const struct policy *engine_next_inline_policy(const struct tables *t,
					       const struct policy_principal *principal,
					       const struct policy *after);
const struct policy_attachment *engine_next_attachment(const struct tables *t,
						       const struct policy_principal *principal,
						       const struct policy_attachment *after);
/* Finds the inline policy with that name. NULL: not found. */
const struct policy *engine_find_inline_policy(const struct tables *t, uuid account,
					       const struct policy_principal *principal, struct str name);
/* The principal's permissions boundary in the account, or NULL. */
const struct policy *engine_find_boundary(const struct tables *t, uuid account,
					  const struct policy_principal *principal);

/* True if there is any policy or attachment. */
bool engine_has_policies(const struct tables *t);
/* A policy that applies to a user, a group or a role's session in an account: an inline or attached one of
 * its own or of its groups, or its boundary. */
struct policy_source {
	const struct policy *policy;
	const struct policy_version *version;
	bool is_boundary;
};
enum { POLICY_SOURCES_MAX = 256 };
/* Finds the applicable policies, at most POLICY_SOURCES_MAX. False: there are more, so no decision may be
 * based on these. */
bool engine_find_policies(const struct tables *t, uuid principal, uuid account,
			  struct policy_source ret_sources[static POLICY_SOURCES_MAX], size_t *ret_count);
