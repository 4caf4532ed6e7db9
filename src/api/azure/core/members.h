/* SPDX-License-Identifier: Apache-2.0
 * Rows of api/core/members.h in the forms of Azure's answers.
 *
 *   AZ_HEAD_OF(AZ_DISKS, KIND_VOLUME)               id, name, type, location and tags
 *   AZ_PART_HEAD(AZ_SUBNETS, KIND_SUBNET)           name, id, etag and type of a part of another resource
 *   AZ_ETAG                                         etag
 *   AZ_SAID("properties.", "osType", "\"Linux\"")   the member that the last PUT stored (.keeps); otherwise that JSON, or nothing
 *   AZ_SAID_AS(AZ_NUMBER, "properties.", "minutes", "4")   the same; a value of another type counts as absent
 *   AZ_LINK(struct port, "subnet", subnet, AZ_SUBNETS, KIND_SUBNET)   {"id": …} of the row that a field names; .is_optional:
 *                                                   left out once the row is gone
 *   AZ_ID(struct volume, "managedBy", instance, AZ_MACHINES, KIND_INSTANCE)   that id without an object
 *   AZ_LINKS(struct port, "groups", sets, …)        a list of such objects for a field of ids; none: left out
 *   AZ_EACH_LINK("subnets", AZ_SUBNETS, KIND_SUBNET, SUBNET_INDEX_POLICY)   for the live rows of an index; with .fits for those
 *                                                   that fit, live or not
 *   AZ_MADE_LINK("ipConfiguration", find)           {"id": …} of the struct az_link that a function finds
 *   AZ_MADE_LINKS("rules", list)                    of those that it lists; none: left out */
#pragma once

#include "api/azure/core/action.h"

/* {"id": "…"} */
struct az_link {
	struct str id;
};
struct az_links {
	const struct az_link *at;
	size_t count;
};
extern const struct member az_link_members[1];

/* Functions of the rows below. */
void az_form_head(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
void az_form_part_head(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
void az_form_said(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
void az_form_link(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
void az_form_id(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
void az_form_links(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
void az_form_each_link(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
struct str az_get_etag(struct api_call *core, const struct row *row);
/* Values of AZ_MADE_LINK() and AZ_MADE_LINKS() from ids. In the arena; NULL: no memory. */
const struct az_link *az_new_link(struct api_call *core, struct str id);
struct member_items az_list_links(struct strs ids);

#define AZ_FORM_OF(member_name, function, ...)                                                               \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_FORM, .form = (function), __VA_ARGS__               \
	}
#define AZ_HEAD_OF(az_type, row_kind)                                                                        \
	AZ_FORM_OF("id|name|type|location|tags", az_form_head, .of = (az_type), .kind = (row_kind))
#define AZ_PART_HEAD(az_type, row_kind)                                                                      \
	AZ_FORM_OF("name|id|etag|type", az_form_part_head, .of = (az_type), .kind = (row_kind))
#define AZ_ETAG MEMBER_TEXT("etag", az_get_etag)
enum { AZ_ANY, AZ_TRUTH, AZ_NUMBER };
#define AZ_SAID_AS(form, path, member_name, otherwise, ...)                                                  \
	AZ_FORM_OF(member_name, az_form_said, .arg = path member_name, .json = (otherwise), .of = (form),    \
		   .offset = offsetof(struct row, id), __VA_ARGS__)
#define AZ_SAID(path, member_name, otherwise, ...)                                                           \
	AZ_SAID_AS(AZ_ANY, path, member_name, otherwise, __VA_ARGS__)
#define AZ_LINK(T, member_name, field, az_type, row_kind, ...)                                               \
	AZ_FORM_OF(member_name, az_form_link, .offset = offsetof(T, field), .of = (az_type),                 \
		   .kind = (row_kind), __VA_ARGS__)
/* The id alone. */
#define AZ_ID(T, member_name, field, az_type, row_kind)                                                      \
	AZ_FORM_OF(member_name, az_form_id, .offset = offsetof(T, field), .of = (az_type), .kind = (row_kind))
#define AZ_LINKS(T, member_name, field, az_type, row_kind)                                                   \
	AZ_FORM_OF(member_name, az_form_links, .offset = offsetof(T, field), .of = (az_type),                \
		   .kind = (row_kind))
#define AZ_EACH_LINK(member_name, az_type, row_kind, index, ...)                                             \
	AZ_FORM_OF(member_name, az_form_each_link, .offset = offsetof(struct row, id), .of = (az_type),      \
		   .each = JOIN_EACH(row_kind, index), __VA_ARGS__)
#define AZ_MADE_LINK(member_name, function) MEMBER_OBJECT(member_name, az_link_members, .find = (function))
#define AZ_MADE_LINKS(member_name, function)                                                                 \
	MEMBER_LIST(member_name, az_link_members, function, .is_optional = true)

/* "provisioningState" and "resourceGuid", the first properties of most resources of Microsoft.Network. */
#define AZ_SUCCEEDED MEMBER_FIXED("provisioningState", "\"Succeeded\"")
#define AZ_PROPERTIES AZ_SUCCEEDED, MEMBER(struct row, "resourceGuid", id)
#define AZ_REGIONAL_SKU(name_row) MEMBER_WITH("sku", name_row, MEMBER_FIXED("tier", "\"Regional\""))
#define AZ_SAID_ZONES AZ_SAID("", "zones", NULL)

/* Defines a function of a row of struct T, as MEMBER_GETTER() does; e is Azure's call. */
#define AZ_GETTER(T, v, returned, function, expression)                                                      \
	static returned function(struct api_call *core, const struct row *row)                               \
	{                                                                                                    \
		struct az_call *e = az_call_of(core);                                                        \
		const struct T *v = T##_of(row);                                                             \
		(void) e, (void) v;                                                                          \
		return (expression);                                                                         \
	}
