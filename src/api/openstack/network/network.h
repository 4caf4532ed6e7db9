/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/network_*: declarations that Neutron's resources share. */
#pragma once

#include "api/openstack/core/list.h"
#include "api/openstack/core/write.h"

struct security_group_rule;

/* A word is a tag without a value; a tag with one is the word "key=value". ERR_INVALID: a key comes twice. */
RESULT os_read_words(struct os_call *e, struct strs words, struct tags *ret_tags);
/* A tag as a word. */
struct str os_write_word(struct os_call *e, const struct tag *tag);
void os_write_words(struct os_call *e, struct json_writer *w, struct tags tags); /* as "tags" */

/* Filters by tags: a comma-separated list of words, all of them or any; or not so. */
#define OS_TAG_FILTERS                                                                                       \
	{"tags", .tags = OS_ALL_TAGS, .needs_all = true, .fits = os_fits_tags},                              \
		{"tags-any", .tags = OS_ANY_TAG, .fits = os_fits_tags_any},                                  \
		{"not-tags", .fits = os_lacks_tags},                                                         \
	{                                                                                                    \
		"not-tags-any", .needs_all = true, .fits = os_lacks_tags_any                                 \
	}
/* Members by whose name queries filter and order. Source: is_filter and is_sort_key of neutron-lib's api.definitions. */
#define OS_FIELD(T, wire, field, ...) ATTRIBUTE(T, wire, field, .filter = (wire), .sort = (wire), __VA_ARGS__)
/* The same without an order. */
#define OS_FILTERED(T, wire, field, ...) ATTRIBUTE(T, wire, field, .filter = (wire), __VA_ARGS__)
#define OS_MADE(as, member, wire, function, ...)                                                             \
	ATTRIBUTE_MADE(as, member, wire, function, .filter = (wire), .sort = (wire), __VA_ARGS__)
#define OS_FIXED(wire, value) ATTRIBUTE_CONST(wire, value, .filter = (wire), .sort = (wire))
/* The name that the row is shown with, which may come from the tag Name. */
#define OS_SHOWN_NAME OS_MADE(TEXT, text, "name", os_get_name, .flags = ATTRIBUTE_IS_NAME)
#define OS_UP(T, field)                                                                                      \
	ATTRIBUTE(T, "admin_state_up", field, .flags = ATTRIBUTE_NOT, .filter = "admin_state_up",            \
		  .sort = "admin_state_up")
/* Members that every resource has. Each except the tags is a filter; Neutron orders by none but the project. */
#define OS_STANDARD_ROWS(T)                                                                                  \
	ATTRIBUTE_AS(HEX, T, "tenant_id", account, .filter = "tenant_id", .sort = "tenant_id"),              \
		ATTRIBUTE_AS(HEX, T, "project_id", account, .filter = "project_id", .sort = "project_id"),   \
		ATTRIBUTE(T, "description", description, .filter = "description"),                           \
		ATTRIBUTE_MADE(TEXTS, texts, "tags", os_list_words),                                         \
		ATTRIBUTE_AS(TIME, T, "created_at", row.created_us, .filter = "created_at"),                 \
		ATTRIBUTE_AS(TIME, T, "updated_at", row.updated_us, .filter = "updated_at"),                 \
		ATTRIBUTE_AS(INT, T, "revision_number", row.gen, .filter = "revision_number")
struct strs os_list_words(struct api_call *e, const struct row *row);
extern const struct os_filter os_tag_filters[4];
bool os_fits_tags(struct os_call *e, const struct row *row, struct str value);
bool os_fits_tags_any(struct os_call *e, const struct row *row, struct str value);
bool os_lacks_tags(struct os_call *e, const struct row *row, struct str value);
bool os_lacks_tags_any(struct os_call *e, const struct row *row, struct str value);

/* Attributes of the trunk in a port's trunk_details. os_find_trunk() finds the trunk of the port; NULL: the port is no parent. */
extern const struct attributes os_trunk_details;
const void *os_find_trunk(struct api_call *e, const struct row *row);

/* Neutron's "shared": true if a grant lets the caller's project, or all, use the object (engine/network/network_grant.h). */
static inline bool os_is_shared(const struct api_call *e, const struct uuids *users)
{
	return uuids_have(users, UUID_NONE) || uuids_have(users, e->c->who->account);
}

/* Members of a forwarding that its floating address shows. */
extern const struct attributes os_forwarded_members;

/* .given of a row whose presence the struct's bool tells. */
#define OS_GIVEN(T, member) (offsetof(T, member) + 1)

/* Rows for the project that will own a resource. */
#define OS_PROJECT(T, member)                                                                                \
	OS_BODY(T, "project_id", member, .kind = KIND_ACCOUNT, .flags = ID_OR_EMPTY | NULLABLE,              \
		.doc = "Owner; absent: the caller's project."),                                              \
		OS_BODY(T, "tenant_id", member, .kind = KIND_ACCOUNT, .flags = ID_OR_EMPTY | NULLABLE,       \
			.doc = "Owner, by its older key.")
/* ERR_INVALID: it is a network that the caller sees, and no external one. */
RESULT os_check_external(struct os_call *e, const struct ref *network);

/* Subnets of others' networks that the account may use. */
RESULT os_add_other_subnets(struct os_call *e, struct os_added *ret_rows);

/* A rule's protocol by its name, else its number; null: any. */
void os_write_protocol(struct os_call *e, struct json_writer *w, const char *key,
		       const struct security_group_rule *r);
/* Before a list of groups, whose operation is engine_ensure_default_group(): a project's first look alone
 * changes something. */
RESULT os_prepare_groups(struct os_call *e, void *args);

/* Refuses another device or owner of a port that is plugged in: only detaching it changes them. NULL: not said. */
RESULT os_check_port_device(struct os_call *e, const struct port *port, const struct str *device,
			    const struct str *owner);

extern const struct os_listing os_networks, os_subnets, os_ports, os_routers, os_floating_ips, os_groups,
	os_group_rules;
