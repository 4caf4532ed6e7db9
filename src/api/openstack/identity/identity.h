/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/identity_*.c: declarations that Keystone's answers share. Ids are UUIDs of 32 digits,
 * except that of the default domain, which is "default" (os_parse_id() reads both). */
#pragma once

#include "api/openstack/core/list.h"

struct user;

/* The id alone. */
void os_write_domain_id(struct json_writer *w, const char *key, uuid domain);
/* {"id": …, "name": …} of a domain. The view is read. */
void os_write_domain(struct os_call *e, struct json_writer *w, uuid domain);
/* "links": {"self": ".../v3/projects/<id>"}. collection: "projects". */
void os_write_self(struct os_call *e, struct json_writer *w, const char *collection, uuid id);
/* "2024-01-02T03:04:05.000000Z"; 0: null. */
void os_write_utc(struct json_writer *w, const char *key, int64_t time_us);
/* "links" of a whole list. */
void os_write_list_links(struct os_call *e, struct json_writer *w);

/* The list of a listing and its links, for who may read of people at all: else ERR_DENIED. */
RESULT os_list_people(struct os_call *e, const struct os_listing *list, struct json_writer *w);
/* A list of rows that were found otherwise, and its links. */
RESULT os_list_rows(struct os_call *e, const char *items, const struct row *const *rows, size_t count,
		    void (*write)(struct os_call *e, struct json_writer *w, const void *item),
		    struct json_writer *w);

/* The token's domain; the default one for a token without. */
struct ref os_own_domain(const struct os_call *e);
/* A member of a change that Keystone takes if it is as it was. */
#define OS_SAME_DOMAIN(T, member)                                                                            \
	OS_BODY(T, "domain_id", member, .kind = KIND_DOMAIN, .doc = "Present domain. Cannot be changed.")
/* ERR_DENIED unless it is the caller, or an administrator asks. */
RESULT os_check_self(struct os_call *e, const struct ref *user);
/* ERR_INVALID: a change names another domain than the row's, to a caller who sees the row. row NULL: the change itself fails. */
RESULT os_check_domain(struct os_call *e, const struct ref *said, const struct row *row, uuid domain);
/* Writes "password_expires_at"; 0: null. */
void os_write_password_expiry(struct json_writer *w, int64_t expires_us);
/* Finds the user and checks the caller's permission for rows that the user owns (engine/people/user_owned.h). ERR_DENIED; for an
 * administrator ERR_NOT_FOUND. */
RESULT os_check_own(struct os_call *e, const char *permission, const struct ref *user,
		    const struct user **ret_user);

/* The domain of a user, also of an account's own. */
uuid os_user_domain(const struct tables *t, const struct user *user);

/* Members that no row of an action's table has (os_params.members), as the engine takes them; and back. */
RESULT os_take_extra(struct os_call *e, struct str members, struct tags *ret_extra);
void os_write_extra(struct json_writer *w, struct tags extra);

/* The members of a project's, user's, group's, role's object: for the lists that show them. */
void os_write_project(struct os_call *e, struct json_writer *w, const void *item);
void os_write_user(struct os_call *e, struct json_writer *w, const void *item);
void os_write_user_group(struct os_call *e, struct json_writer *w, const void *item);
void os_write_role(struct os_call *e, struct json_writer *w, const void *item);
/* Roles that somebody hands on: each by its id, or else by its name. */
struct os_role_words {
	struct ref id;
	struct str name;
};
struct os_role_list {
	const struct os_role_words *at;
	size_t count;
};
extern const struct params os_role_table;
RESULT os_read_roles(struct os_call *e, const struct os_role_list *list, struct refs *ret_roles);
/* Writes "access_rules" of an application credential; nothing if it has none. */
void os_write_access_rules(struct os_call *e, struct json_writer *w, const struct uuids *rules);
/* Issues a token that was proved and given its scope, and writes it as the answer's members. ERR_UNAUTHENTICATED. */
RESULT os_issue_token(struct os_call *e, struct json_writer *w, struct token *token);
/* "catalog": every service's endpoints, as a token for the project has them. */
RESULT os_write_catalog(struct os_call *e, struct json_writer *w, uuid account);
