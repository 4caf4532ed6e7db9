/* SPDX-License-Identifier: Apache-2.0
 * Policies of IAM's language, as rows: managed ones with up to five versions, inline ones, and who has them.
 * Documents come checked (auth/policy.h); here they are texts. For an account's owner and managers, and whom
 * policies let. An account's users are its own, and those of domains who have a role on it; its groups are
 * those with a role on it. The account's owner has no policies: nothing bounds it. A holder is one of three:
 * a user, a group, a role of IAM's (iam_role.h). AWS's own managed policies are everybody's to attach and
 * nobody's to change. */
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
	POLICIES_ATTACHED_MAX = 10,        /* to a holder */
	POLICY_CHARACTERS_MAX = 6144,      /* of a managed one, without white space */
	POLICY_CHARACTERS_OF_USER = 2048,  /* of all a user's inline ones together */
	POLICY_CHARACTERS_OF_GROUP = 5120, /* likewise */
	POLICY_CHARACTERS_OF_ROLE = 10240, /* likewise */
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
OPERATION(engine_delete_policy, policy_target) /* ERR_IN_USE: attached, or with versions that do not hold */

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
OPERATION(engine_delete_policy_version, policy_version_target)      /* ERR_IN_USE: it holds */
OPERATION(engine_set_default_policy_version, policy_version_target) /* which is it already: nothing changes */

/* Exactly one of user, user_group and iam_role. */
struct policy_attachment_wish {
	struct ref policy, user, user_group, iam_role;
	bool is_boundary; /* of a user or a role: in place of the one before; detached, policy need not be
			     named */
};
OPERATION(engine_attach_policy, policy_attachment_wish) /* which is there already: nothing changes */
OPERATION(engine_detach_policy, policy_attachment_wish) /* ERR_NOT_FOUND with KIND_POLICY_ATTACHMENT */

/* Likewise; in place of the one of that name. */
struct inline_policy_wish {
	struct ref user, user_group, iam_role;
	struct str name, document, field;
};
OPERATION(engine_put_inline_policy, inline_policy_wish)
OPERATION(engine_delete_inline_policy, inline_policy_wish) /* ERR_NOT_FOUND with KIND_POLICY */

/* ---- reading: on the head or on a view that walks ---- */

/* Of an account, or AWS's own (aws_policy.h); NULL: there is none. */
const struct policy *engine_find_policy(const struct tables *t, uuid id);
/* The managed one of that ARN, of the account or AWS's own; NULL: there is none. */
const struct policy *engine_find_policy_arn(struct arena *a, const struct tables *t, uuid account,
					    struct str arn);
/* NULL: there is none of that number. */
const struct policy_version *engine_find_version(const struct tables *t, const struct policy *policy,
						 int64_t number);
/* One after the other, by number; NULL: no more. */
const struct policy_version *engine_next_version(const struct tables *t, const struct policy *policy,
						 const struct policy_version *after);
/* The version that holds; NULL: there is none. */
const struct policy_version *engine_find_default_version(const struct tables *t, const struct policy *policy);
/* Who has policies: one of three, the others none. */
struct policy_holder {
	enum kind kind; /* KIND_USER, KIND_USER_GROUP or KIND_IAM_ROLE */
	const struct row *row;
};
/* That of the caller's account which one of the refs names. ERR_NOT_FOUND: it is none of the account's, or
 * its owner. */
RESULT engine_find_policy_holder(struct ctx *c, const struct tables *t, const struct ref *user,
				 const struct ref *user_group, const struct ref *iam_role,
				 struct policy_holder *ret_holder);
/* A user of the account, its owner apart: its own, or with a role on it; a group likewise. */
bool engine_is_users_account(const struct tables *t, const struct user *user, uuid account);
bool engine_is_groups_account(const struct tables *t, const struct user_group *group, uuid account);
/* A managed policy of the caller's account, or AWS's own. */
RESULT engine_find_managed_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
				  const struct policy **ret_policy);
/* The same, to be changed. ERR_DENIED: it is AWS's own. */
RESULT engine_find_own_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
			      const struct policy **ret_policy);
/* Not anybody's own. */
static inline bool policy_is_managed(const struct policy *p)
{
	return uuid_is_none(p->user) && uuid_is_none(p->user_group) && uuid_is_none(p->iam_role);
}

/* A holder's own policies in any account, and what is attached to it: one after the other. NULL: no more. */
const struct policy *engine_next_inline_policy(const struct tables *t, const struct policy_holder *holder,
					       const struct policy *after);
const struct policy_attachment *engine_next_attachment(const struct tables *t,
						       const struct policy_holder *holder,
						       const struct policy_attachment *after);
/* The one of that name; NULL: there is none. */
const struct policy *engine_find_inline_policy(const struct tables *t, uuid account,
					       const struct policy_holder *holder, struct str name);
/* What bounds it in the account; NULL: nothing. */
const struct policy *engine_find_boundary(const struct tables *t, uuid account,
					  const struct policy_holder *holder);

/* False: nobody has any. */
bool engine_has_policies(const struct tables *t);
/* What speaks of a user, or of a session of a role, in an account: by itself, by its groups, and what bounds
 * it. */
struct policy_source {
	const struct policy *policy;
	const struct policy_version *version;
	bool is_boundary;
};
enum { POLICY_SOURCES_MAX = 256 };
/* The first of them, at most POLICY_SOURCES_MAX. False: there are more, and nothing may be decided by these.
 */
bool engine_find_policies(const struct tables *t, uuid principal, uuid account,
			  struct policy_source ret_sources[static POLICY_SOURCES_MAX], size_t *ret_count);
