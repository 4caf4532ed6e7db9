/* SPDX-License-Identifier: Apache-2.0
 * Attributes of SCIM's resources: one const table serves the discovery documents, filters, paths of patches, the check of
 * requests, and where a value is stored. Pure; any thread. */
#pragma once

#include "base/ctx.h"
#include "base/json_write.h"
#include "base/str.h"
#include "model/row.h"

enum scim_value { SCIM_STRING, SCIM_BOOLEAN, SCIM_TIME, SCIM_REFERENCE, SCIM_COMPLEX };
enum scim_mutability { SCIM_READ_WRITE, SCIM_READ_ONLY, SCIM_IMMUTABLE, SCIM_WRITE_ONLY };
enum scim_returned { SCIM_BY_DEFAULT, SCIM_ALWAYS, SCIM_NEVER, SCIM_ON_REQUEST };

struct scim_attribute {
	const char *name; /* a URN: a schema extension, whose attributes are `subs` */
	enum scim_value type;
	bool is_list, is_required, is_exact, is_unique;
	bool is_common; /* id, externalId, meta: no schema lists them */
	enum scim_mutability mutability;
	enum scim_returned returned;
	const struct scim_attribute *subs;
	size_t sub_count;
	const char *
		kept; /* key in the row's extra attributes, with a JSON value; NULL: stored elsewhere, or computed */
	const char *refers; /* resource type that a reference leads to */
	enum kind names;    /* kind of row that the value is an id of; KIND_NONE: it is no id of a row */
	const char *doc;
};

struct scim_type {
	const char *name, *plural, *urn, *doc;
	enum kind kind;
	const struct scim_attribute *at;
	size_t count;
};
extern const struct scim_type scim_user_type, scim_group_type;

#define SCIM_ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

/* True if the attribute stands for a schema extension. */
bool scim_is_extension(const struct scim_attribute *a);
/* By name, ignoring case; NULL: there is none. */
const struct scim_attribute *scim_find_attribute(const struct scim_attribute *at, size_t count,
						 struct str name);

/* A place in a resource: "name.familyName" is attribute and sub, "urn:…:User:department" extension and attribute. */
struct scim_place {
	const struct scim_attribute *extension, *attribute, *sub; /* extension, sub: NULL if absent */
};
/* Reads a path without a filter; a URN of the type's schema or extension may stand before it. False: no such attribute. */
bool scim_read_place(const struct scim_type *type, struct str text, struct scim_place *ret_place);

/* A place of an attribute's own sub-attributes, as in emails[type eq "work"]. */
bool scim_read_sub_place(const struct scim_attribute *parent, struct str text, struct scim_place *ret_place);

/* The "attributes" and "excludedAttributes" of a request. */
enum { SCIM_SHOWN_MAX = 64 };
struct scim_shown {
	const struct scim_place *only, *without;
	size_t only_count, without_count;
	bool has_only;
};
/* Reads texts of comma-separated names; unknown names are ignored, as RFC 7644 3.9 leaves open. ERR_TOO_LARGE. */
RESULT scim_read_names(struct ctx *c, const struct scim_type *type, struct strs texts,
		       const struct scim_place **ret_places, size_t *ret_count);
/* True if the place, or a part of it, is to be returned. */
bool scim_shows(const struct scim_shown *shown, const struct scim_place *place);

/* ---- discovery documents ---- */

/* The documents of /Schemas, /ResourceTypes and /ServiceProviderConfig; `base` is the region's URL. */
void scim_write_schema(struct json_writer *w, struct str base, const char *urn);
/* URNs of all schemas; NULL ends the list. */
extern const char *const scim_schema_urns[];
void scim_write_resource_type(struct json_writer *w, struct str base, const struct scim_type *type);
void scim_write_provider_config(struct json_writer *w, struct str base);
