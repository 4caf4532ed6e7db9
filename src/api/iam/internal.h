/* SPDX-License-Identifier: Apache-2.0
 * Private to api/iam/: declares IAM's actions and calls, beyond the members that all faces share
 * (api/core/action.h). */
#pragma once

#include "api/core/dispatch.h"
#include "api/core/list.h"
#include "api/iam/iam.h"
#include "api/query/codes.h"
#include "api/query/request.h"
#include "auth/guard/guard.h"
#include "auth/key/last_used.h"
#include "auth/key/sigv4.h"
#include "auth/policy/policy.h"
#include "base/xml.h"
#include "engine/people/policy/policy.h"
#include "model/iam_name.h"

struct iam_role;
struct instance_profile;
struct policy;
struct policy_version;
struct user;
struct user_group;

struct iam_call;
struct iam_listing;

enum iam_action_flag {
	IAM_OWN = API_OF_FACE, /* about who asks alone: members of the account need no policy for it */
};

struct iam_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct iam_call *e, void *args);
	RESULT (*answer)(struct iam_call *e, const void *args, struct xml *x); /* NULL: there is no result */
	const struct iam_listing *list;                                        /* list of iam_answer_list() */
};

/* The action's name, and its name in policies. */
#define IAM_ACTION(word) .name = (word), .permit = "iam:" word

/* Actions of each file. */
extern const struct api_actions iam_account_actions, iam_detail_actions, iam_group_actions,
	iam_principal_actions, iam_key_actions, iam_mfa_actions, iam_public_credential_actions,
	iam_server_certificate_actions, iam_service_role_actions, iam_oidc_actions, iam_saml_actions,
	iam_password_actions, iam_policy_actions, iam_profile_actions, iam_report_actions, iam_role_actions,
	iam_simulation_actions, iam_unkept_actions, iam_user_actions;
extern const struct api_groups iam_action_groups;

/* Fills `out` with up to max actions of all files, and returns their number. */
size_t iam_sum_actions(const struct iam_action **out, size_t max);

struct iam_call {
	API_CALL_BASE;
};

API_DEFINE_FACE(iam)

/* ---- errors.c ---- */

#define IAM_VERSION "2010-05-08"
#define IAM_NAMESPACE STR("https://iam.amazonaws.com/doc/" IAM_VERSION "/")

extern const struct api_errors iam_errors;
extern const struct query_codes iam_codes; /* codes.c */
/* The protocol's write_problem. */
RESULT iam_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);

/* ---- rows of parameter tables ---- */

enum { IAM_NAME_MAX = 128, IAM_DOCUMENT_MAX = 128 * 1024, IAM_TAGS_MAX = 50 };

/* The pattern of tags in IAM's messages. */
#define IAM_TAG_CHARACTERS "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]"
#define IAM_TAG_KEY_REMARK                                                                                   \
	", Member must satisfy regular expression pattern: " IAM_TAG_CHARACTERS "+, Member must not be null"

#define IAM_USER(T, member, ...)                                                                             \
	PARAM(T, "UserName", member, .flags = BY_NAME __VA_ARGS__, .kind = KIND_USER, .min = 1, .max = 128,  \
	      .doc = "The user.")
#define IAM_GROUP(T, member)                                                                                 \
	PARAM(T, "GroupName", member, .flags = REQUIRED | BY_NAME, .kind = KIND_USER_GROUP, .min = 1,        \
	      .max = 128, .doc = "The group.")
#define IAM_ROLE(T, member)                                                                                  \
	PARAM(T, "RoleName", member, .flags = REQUIRED | BY_NAME, .kind = KIND_IAM_ROLE, .min = 1,           \
	      .max = 64, .doc = "The role.")
#define IAM_POLICY_ARN(T, member)                                                                            \
	PARAM(T, "PolicyArn", member, .flags = REQUIRED, .min = 20, .max = 2048, .doc = "ARN of the policy.")
#define IAM_POLICY_NAME(T, member)                                                                           \
	PARAM(T, "PolicyName", member, .flags = REQUIRED, .min = 1, .max = IAM_NAME_MAX,                     \
	      .doc = "Name of the policy.")
#define IAM_DOCUMENT(T, member)                                                                              \
	PARAM(T, "PolicyDocument", member, .flags = REQUIRED, .min = 1, .max = IAM_DOCUMENT_MAX,             \
	      .doc = "Policy document, as JSON.")
#define IAM_PATH(T, member)                                                                                  \
	PARAM(T, "Path", member, .min = 1, .max = 512, .doc = "Path of the ARN, such as /division/.")
#define IAM_PATH_PREFIX(T, member)                                                                           \
	PARAM(T, "PathPrefix", member, .min = 1, .max = 512, .doc = "Path prefix of the results.")
#define IAM_TAGS(T, member)                                                                                  \
	PARAM_LIST(T, "Tags.member", member, iam_tag_params, .max = IAM_TAGS_MAX,                            \
		   .doc = "Tags of the new resource.")
/* Parameters of actions that set tags, and that remove some. */
#define IAM_NEW_TAGS(T, member)                                                                              \
	PARAM_LIST(T, "Tags.member", member, iam_tag_params, .flags = REQUIRED, .max = IAM_TAGS_MAX,         \
		   .doc = "Tags to set.")
#define IAM_TAG_KEYS(T, member)                                                                              \
	PARAM(T, "TagKeys.member", member, .flags = REQUIRED, .min = 1, .max = 128,                          \
	      .remark = IAM_TAG_KEY_REMARK, .doc = "Tag keys to remove.")
/* The member is a struct iam_pages. */
#define IAM_PAGES(T, member)                                                                                 \
	PARAM(T, "MaxItems", member.max_items, .min = 1, .max = 1000,                                        \
	      .doc = "Maximum number of results in one page."),                                              \
		PARAM(T, "Marker", member.marker, .min = 1, .max = 320,                                      \
		      .doc = "Marker of the next page, from the previous answer.")
extern const struct params iam_tag_params; /* Key and Value */

/* ---- list.c: pages, lists, tags and entities ---- */

struct iam_pages {
	struct str marker;
	int64_t max_items;
};
/* Position of an item: its list, for an answer with several lists, and a key in the list's order. */
struct iam_place {
	int64_t section;
	struct str key;
};
/* A page, while it is written. A marker names the last item of the page before, so that nothing is lost or shown twice
 * when items come or go between two pages. */
struct iam_page {
	int64_t section; /* the list that is being written */
	int64_t limit, shown;
	bool is_cut; /* there are items after the page */
	bool has_after;
	struct iam_place after, last; /* the item that the marker names; the last one shown */
};
/* Begins a page. ERR_INVALID: the marker, with the field "Marker". */
RESULT iam_open_page(struct iam_call *e, const struct iam_pages *asked, struct iam_page *ret_page);
/* True if the next item, with this key, is on the page. Keys of a section have to ascend. */
bool iam_page_takes(struct iam_page *page, struct str key);
/* Writes IsTruncated and Marker. */
RESULT iam_close_page(struct iam_call *e, struct xml *x, const struct iam_page *page);
/* Key of an item that is known by its number. */
struct str iam_number_key(struct iam_call *e, uint64_t number);
/* Key of a row in a list without an order of its own. */
struct str iam_creation_key(struct iam_call *e, const struct row *row);

/* Args of most reads: the subject, and the filter and page of a list. */
struct iam_read_args {
	struct ref user, group, role; /* one at most */
	struct str name, path;        /* a policy's name; PathPrefix */
	struct iam_pages pages;
};

/* Form of listed rows. */
struct iam_shown {
	const char *set; /* the element around the rows; NULL: the caller writes it */
	/* Makes the text of a row's element; NULL: write() writes its contents. */
	struct str (*get_text)(struct iam_call *e, const struct row *row);
	RESULT (*write)(struct iam_call *e, struct xml *x, const struct row *row);
};

/* A list of rows of one kind: the paths to the rows, their order and their form. */
enum { IAM_PATHS_MAX = 5 };
struct iam_list;
struct iam_listing {
	enum kind kind;
	const char *order; /* the field that the rows are sorted by; NULL: order of creation */
	bool descends;
	/* Paths to the rows, which a query joins; KIND_NONE ends them. Each begins with the list's parent, or, if its index
	 * begins with a domain, with the caller's domain. */
	struct access_path paths[IAM_PATHS_MAX];
	unsigned
		path_index; /* index that begins with the account and the path; 0: the list has no PathPrefix */
	/* Finds the parent that the args name; NULL: the parent is the caller's account. */
	RESULT (*find_parent)(struct iam_call *e, const struct iam_read_args *args, uuid *ret_parent);
	bool (*shows)(const struct iam_list *l, const struct row *row); /* NULL: all */
	struct iam_shown shown;
};
/* A list for one call. */
struct iam_list {
	struct iam_call *e;
	const struct iam_listing *listing;
	uuid parent; /* none: the caller's account */
	struct str path;
	const void *args;              /* args for .shows */
	const struct row *given;       /* a further row that is in no table; NULL: none */
	const struct iam_shown *shown; /* form of the rows; NULL: the listing's */
	const struct iam_page *page;   /* page whose marker the rows follow; NULL: all rows */
};
/* Finds the first `limit` rows. ERR_NO_MEMORY. */
RESULT iam_find_rows(struct iam_list *l, size_t limit, struct query_page *ret_page);
/* Writes the rows of the page; page NULL: all rows. */
RESULT iam_write_rows(struct iam_list *l, struct iam_page *page, struct xml *x);
/* Writes a whole page: the rows, IsTruncated and Marker. */
RESULT iam_write_list(struct iam_list *l, const struct iam_pages *asked, struct xml *x);
/* iam_action.answer: the page of the action's .list for a struct iam_read_args. */
RESULT iam_answer_list(struct iam_call *e, const void *args, struct xml *x);
/* .find_parent: the user, group or role that the args name. */
RESULT iam_find_principal(struct iam_call *e, const struct iam_read_args *args, uuid *ret_id);
/* .shows: rows of the caller's account. */
bool iam_is_own(const struct iam_list *l, const struct row *row);
/* Parameters PathPrefix and those of pages. */
extern const struct param iam_list_rows[3];
#define IAM_LIST PARAMS(struct iam_read_args, iam_list_rows)

/* Checks the characters of a name. ERR_INVALID with the field. */
RESULT iam_check_name(struct iam_call *e, struct str name, const char *field);
/* The same for a path. */
RESULT iam_check_path(struct iam_call *e, struct str path, const char *field);
/* Checks the characters of tags, and that each key is unique; ignores_case: also among keys that differ in letter case
 * alone. ERR_INVALID with the member, ERR_COMBINATION. */
RESULT iam_check_tags(struct iam_call *e, struct tags tags, bool ignores_case);
/* The same for keys alone. ERR_INVALID. */
RESULT iam_check_tag_keys(struct iam_call *e, struct strs keys);
/* iam_action.prepare of actions on a struct entity_tags. */
RESULT iam_prepare_tag(struct iam_call *e, void *args);
RESULT iam_prepare_untag(struct iam_call *e, void *args);
/* Checks a policy. ERR_INVALID with "PolicyDocument". */
RESULT iam_check_document(struct iam_call *e, struct str document, enum policy_form form, bool is_managed);

/* Write an element of that name. */
void iam_write_time(struct xml *x, const char *name, int64_t time_us);
void iam_write_int(struct iam_call *e, struct xml *x, const char *name, int64_t value);
/* Writes the list "Tags". */
void iam_write_tags(struct xml *x, struct tags tags);
/* Writes a page of tags, IsTruncated and Marker. */
RESULT iam_list_tags(struct iam_call *e, struct xml *x, struct tags tags, const struct iam_pages *asked);
/* Writes Path, the name and id under these names, Arn and CreateDate. */
void iam_write_entity(struct iam_call *e, struct xml *x, enum kind kind, const struct row *row,
		      const char *name, const char *id);
/* ARN of a row in the caller's account. */
struct str iam_arn(struct iam_call *e, enum kind kind, const struct row *row);
/* Writes the permissions boundary of a user or role, if it has one. */
void iam_write_boundary(struct iam_call *e, struct xml *x, enum kind kind, const struct row *row);

/* ---- users.c ---- */

/* Replaces an empty ref by the caller. ERR_MISSING: the caller is no user. */
RESULT iam_choose_user(struct iam_call *e, struct ref *user);
/* A user of the account, or the caller, who may be its owner. */
RESULT iam_find_user(struct iam_call *e, const struct ref *ref, const struct user **ret_user);
/* A domain's user shows second factors and uploaded credentials to nobody in the account
 * (engine/people/user_owned.h). */
bool iam_may_see_owned(struct iam_call *e, const struct user *user);
/* iam_action.prepare: chooses the user of a struct iam_read_args. */
RESULT iam_prepare_user(struct iam_call *e, void *args);
/* iam_listing.find_parent: the user that the args name. */
RESULT iam_find_parent_user(struct iam_call *e, const struct iam_read_args *args, uuid *ret_user);
/* Writes a User's members; is_whole: with its permissions boundary and tags. */
void iam_write_user(struct iam_call *e, struct xml *x, const struct user *user, bool is_whole);
/* Writes a User as lists show it. */
RESULT iam_write_listed_user(struct iam_call *e, struct xml *x, const struct row *row);
/* The users of the account: its own, the owner apart, and those that have a role on it. */
extern const struct iam_listing iam_users;

/* ---- groups.c ---- */

/* Writes a Group's members. */
RESULT iam_write_group(struct iam_call *e, struct xml *x, const struct row *row);
/* The account's own groups. */
extern const struct iam_listing iam_groups;
/* Memberships of the parent, a user, in groups of the account. */
extern const struct iam_listing iam_memberships;
const struct user_group *iam_find_joined(struct iam_call *e, const struct row *membership);

/* ---- roles.c ---- */

/* Optional parts of a Role; each action shows some. */
enum iam_role_part {
	IAM_ROLE_DESCRIPTION = 1 << 0,
	IAM_ROLE_DURATION = 1 << 1,
	IAM_ROLE_RIGHTS = 1 << 2, /* permissions boundary and tags */
};
/* Writes a Role's members, with those parts. */
void iam_write_role(struct iam_call *e, struct xml *x, const struct iam_role *role, unsigned parts);
/* Writes RoleLastUsed, the time of the last call by a session of the role; empty if there was none. */
void iam_write_role_use(struct iam_call *e, struct xml *x, const struct iam_role *role);
extern const struct iam_listing iam_roles;

/* ---- policies.c ---- */

/* Messages about an absent policy, by action; "*" stands for the ARN. AWS's texts for reads, and for attaching a policy.
 * Guessed: the lists of a policy's entities, versions and tags have the first, CreatePolicyVersion the second. */
#define IAM_NO_POLICY "Policy * was not found."
#define IAM_NOT_ATTACHABLE "Policy * does not exist or is not attachable."
/* Finds the policy of an ARN, the account's or AWS's own. ERR_INVALID: no ARN of a policy. ERR_NOT_FOUND with the message
 * `absent`. */
RESULT iam_find_policy(struct iam_call *e, struct str arn, const char *absent, struct ref *ret_policy);
/* The same for a permissions boundary. */
RESULT iam_find_boundary(struct iam_call *e, struct str arn, struct ref *ret_policy);

/* True if the policy is attached to an entity of the account, or is the boundary of one. */
bool iam_is_attached(struct iam_call *e, const struct policy *p);
/* Writes a Policy's members; is_whole: with its description and tags, which only GetPolicy shows. */
void iam_write_policy(struct iam_call *e, struct xml *x, const struct policy *p, bool is_whole);
/* Writes a PolicyVersion's members; with_document: with its text. */
void iam_write_version(struct iam_call *e, struct xml *x, const struct policy *p,
		       const struct policy_version *v, bool with_document);
/* The account's managed policies. */
extern const struct iam_listing iam_policies;
struct iam_list iam_list_versions(struct iam_call *e, const struct policy *p);

/* ---- principals.c ---- */

/* The parent's own policies, and what is attached to it: it is a user, a group or a role. */
extern const struct iam_listing iam_inline_policies, iam_attachments;

/* ---- profiles.c ---- */

/* An InstanceProfile's members, but for its tags. */
RESULT iam_write_profile(struct iam_call *e, struct xml *x, const struct row *row);
extern const struct iam_listing iam_profiles;

/* ---- oidc_providers.c ---- */

extern const struct iam_listing iam_providers;

/* ---- saml_providers.c ---- */

extern const struct iam_listing iam_saml_providers;

/* ---- server_certificates.c ---- */

extern const struct iam_listing iam_server_certificates;

/* ---- simulate.c ---- */

struct iam_context_entry {
	struct str key, type;
	struct strs values;
};
struct iam_context_entries {
	const struct iam_context_entry *at;
	size_t count;
};
