/* SPDX-License-Identifier: Apache-2.0
 * IAM policies as rows: managed ones with up to five versions, inline ones, and who has them.
 * Callers check documents before (auth/policy.h); here they are texts. For an account's owner and
 * managers, and those whom policies allow it.
 *
 * An account's users, here, are its own and those of domains who have a role on it; its groups
 * likewise. The account's owner has no policies, and nothing restricts it. A *principal* of policies
 * is a user, a group or an IAM role (iam_role.h). Everybody may attach AWS's own managed policies,
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
	POLICIES_MAX = 1500,               /* managed ones of an account */
	POLICY_VERSIONS_MAX = 5,           /* of one */
	POLICIES_ATTACHED_MAX = 10,        /* to a principal */
	POLICY_CHARACTERS_MAX = 6144,      /* of a managed one, without white space */
	POLICY_CHARACTERS_OF_USER = 2048,  /* of all a user's inline ones together */
	POLICY_CHARACTERS_OF_GROUP = 5120, /* likewise */
	POLICY_CHARACTERS_OF_ROLE = 10240, /* likewise */
	POLICY_CHARACTERS_OF_TRUST = 2048, /* of who may take a role */
};

struct policy_wish {
	struct str name, path, description, document; /* path empty: "/" */
	struct tags tags;
	/* made: */
	uuid policy;
};
OPERATION(engine_create_policy, policy_wish)

struct policy_target {
	struct ref policy;
};
OPERATION(engine_delete_policy,
	  policy_target) /* ERR_IN_USE: it is attached, or has versions besides the default one */

struct policy_version_wish {
	struct ref policy;
	struct str document;
	bool is_default;
	/* made: */
	uuid made;
};
OPERATION(engine_create_policy_version, policy_version_wish)

struct policy_version_target {
	struct ref policy;
	int64_t number;
	struct str field;
};
OPERATION(engine_delete_policy_version, policy_version_target) /* ERR_IN_USE: it is the default version */
OPERATION(engine_set_default_policy_version, policy_version_target) /* which is it already: nothing changes */

/* Exactly one of user, user_group and iam_role is given. */
struct policy_attachment_wish {
	struct ref policy, user, user_group, iam_role;
	/* The boundary of a user or a role, which replaces an earlier one. To detach it, policy
	 * need not be given. */
	bool is_boundary;
};
OPERATION(engine_attach_policy, policy_attachment_wish) /* an attachment that exists: nothing changes */
OPERATION(engine_detach_policy, policy_attachment_wish) /* ERR_NOT_FOUND with KIND_POLICY_ATTACHMENT */

/* The same for an inline policy. It replaces one of that name. */
struct inline_policy_wish {
	struct ref user, user_group, iam_role;
	struct str name, document, field;
};
OPERATION(engine_put_inline_policy, inline_policy_wish)
OPERATION(engine_delete_inline_policy, inline_policy_wish) /* ERR_NOT_FOUND with KIND_POLICY */

/* ---- reading: on the head or on a view that is read ---- */

/* A policy of an account, or one of AWS's own (aws_policy.h). NULL: there is none. */
const struct policy *engine_find_policy(const struct tables *t, uuid id);
/* The managed policy with that ARN, of the account or AWS's own. NULL: there is none. */
const struct policy *engine_find_policy_arn(struct arena *a, const struct tables *t, uuid account,
					    struct str arn);
/* The version with that number. NULL: there is none. */
const struct policy_version *engine_find_version(const struct tables *t, const struct policy *policy,
						 int64_t number);
/* The default version. NULL: there is none. */
const struct policy_version *engine_find_default_version(const struct tables *t, const struct policy *policy);
/* A principal of policies: its kind says which one, and the others are none. */
struct policy_principal {
	enum kind kind; /* KIND_USER, KIND_USER_GROUP or KIND_IAM_ROLE */
	const struct row *row;
};
/* Finds the principal of the caller's account that one of the refs names. ERR_NOT_FOUND: there is
 * none, or it is the account's owner. */
RESULT engine_find_policy_principal(struct ctx *c, const struct tables *t, const struct ref *user,
				    const struct ref *user_group, const struct ref *iam_role,
				    struct policy_principal *ret_principal);
/* Whether a user belongs to the account in this sense: its own user, or one with a role on it, but
 * not its owner. The second is the same for a group. */
bool engine_is_users_account(const struct tables *t, const struct user *user, uuid account);
bool engine_is_groups_account(const struct tables *t, const struct user_group *group, uuid account);
/* Finds a managed policy of the caller's account, or one of AWS's own. */
RESULT engine_find_managed_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
				  const struct policy **ret_policy);
/* The same, in order to change it. ERR_DENIED: it is AWS's own. */
RESULT engine_find_own_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
			      const struct policy **ret_policy);
/* Whether it is a managed policy, and not an inline one. */
static inline bool policy_is_managed(const struct policy *p)
{
	return uuid_is_none(p->user) && uuid_is_none(p->user_group) && uuid_is_none(p->iam_role);
}

/* Go through a principal's inline policies in any account, and through what is attached to it. NULL:
 * no more. */
const struct policy *engine_next_inline_policy(const struct tables *t,
					       const struct policy_principal *principal,
					       const struct policy *after);
const struct policy_attachment *engine_next_attachment(const struct tables *t,
						       const struct policy_principal *principal,
						       const struct policy_attachment *after);
/* The inline policy with that name. NULL: there is none. */
const struct policy *engine_find_inline_policy(const struct tables *t, uuid account,
					       const struct policy_principal *principal, struct str name);
/* The principal's boundary in the account. NULL: none. */
const struct policy *engine_find_boundary(const struct tables *t, uuid account,
					  const struct policy_principal *principal);

/* Whether anybody has a policy. */
bool engine_has_policies(const struct tables *t);
/* All that speaks of a user, of a group, or of a role's session, in an account: its own policies, those
 * of its groups, and its boundary. */
struct policy_source {
	const struct policy *policy;
	const struct policy_version *version;
	bool is_boundary;
};
enum { POLICY_SOURCES_MAX = 256 };
/* Finds the first of them, at most POLICY_SOURCES_MAX. False: there are more, and nothing may be
 * decided by these. */
bool engine_find_policies(const struct tables *t, uuid principal, uuid account,
			  struct policy_source ret_sources[static POLICY_SOURCES_MAX], size_t *ret_count);
