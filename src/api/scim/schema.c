/* SPDX-License-Identifier: Apache-2.0
 * The tables of attributes, and the discovery documents that are written from them. A row with `kept` is stored as a JSON value
 * among the row's extra attributes, which Keystone shows, too: no kind and no column exists for SCIM alone. */
#include "api/scim/schema.h"

#include <stdio.h>

#define CORE "urn:ietf:params:scim:schemas:core:2.0:"
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define SUBS(rows) .type = SCIM_COMPLEX, .subs = (rows), .sub_count = COUNT(rows)

/* Largest page, and the limits of ServiceProviderConfig. */
enum { RESULTS_MAX = 200 };

/* ---- attributes ---- */

static const struct scim_attribute name_parts[] = {
	{"formatted", .doc = "The whole name."},
	{"familyName", .doc = "The family name."},
	{"givenName", .doc = "The given name."},
	{"middleName", .doc = "The middle names."},
	{"honorificPrefix", .doc = "A title, such as Dr."},
	{"honorificSuffix", .doc = "A suffix, such as III."},
};

#define VALUE_PARTS                                                                                          \
	{"value", .doc = "The value."}, {"display", .doc = "A name for people."},                            \
		{"type", .doc = "A label, such as work."},                                                   \
	{                                                                                                    \
		"primary", .type = SCIM_BOOLEAN, .doc = "True for one value at most."                        \
	}
static const struct scim_attribute email_parts[] = {VALUE_PARTS};
static const struct scim_attribute phone_parts[] = {VALUE_PARTS};
static const struct scim_attribute address_parts[] = {
	{"formatted", .doc = "The whole address."},
	{"streetAddress", .doc = "Street and number."},
	{"locality", .doc = "The city."},
	{"region", .doc = "The state or region."},
	{"postalCode", .doc = "The postal code."},
	{"country", .doc = "The country."},
	{"type", .doc = "A label, such as work."},
	{"primary", .type = SCIM_BOOLEAN, .doc = "True for one value at most."},
};

#define READ_ONLY .mutability = SCIM_READ_ONLY
static const struct scim_attribute group_parts[] = {
	{"value", READ_ONLY, .is_exact = true, .doc = "The group's id."},
	{"$ref", READ_ONLY, .type = SCIM_REFERENCE, .is_exact = true, .refers = "Group",
	 .doc = "The group's URI."},
	{"display", READ_ONLY, .doc = "The group's name."},
	{"type", READ_ONLY, .doc = "Always direct."},
};

static const struct scim_attribute manager_parts[] = {
	{"value", .doc = "The manager's id."},
	{"$ref", .type = SCIM_REFERENCE, .is_exact = true, .refers = "User", .doc = "The manager's URI."},
	{"displayName", READ_ONLY, .doc = "The manager's name."},
};
static const struct scim_attribute enterprise[] = {
	{"employeeNumber", .doc = "The organization's number for the person."},
	{"costCenter", .doc = "The cost centre."},
	{"organization", .doc = "The organization."},
	{"division", .doc = "The division."},
	{"department", .doc = "The department."},
	{"manager", SUBS(manager_parts), .doc = "The person's manager."},
};

static const struct scim_attribute meta_parts[] = {
	{"resourceType", READ_ONLY, .is_exact = true, .doc = "User or Group."},
	{"created", READ_ONLY, .type = SCIM_TIME, .doc = "When the resource was created."},
	{"lastModified", READ_ONLY, .type = SCIM_TIME, .doc = "When the resource was changed last."},
	{"location", READ_ONLY, .type = SCIM_REFERENCE, .is_exact = true, .doc = "The resource's URI."},
	{"version", READ_ONLY, .is_exact = true, .doc = "The resource's ETag."},
};

#define COMMON_ATTRIBUTES                                                                                    \
	{"id",                                                                                               \
	 READ_ONLY,                                                                                          \
	 .is_common = true,                                                                                  \
	 .is_exact = true,                                                                                   \
	 .is_unique = true,                                                                                  \
	 .returned = SCIM_ALWAYS,                                                                            \
	 .doc = "The resource's id."},                                                                       \
		{"externalId", .is_common = true, .is_exact = true, .kept = "scim_external_id",              \
		 .doc = "The identity provider's id."},                                                      \
	{                                                                                                    \
		"meta", READ_ONLY, .is_common = true, SUBS(meta_parts), .doc = "Times, version and URI."     \
	}

static const struct scim_attribute user_attributes[] = {
	COMMON_ATTRIBUTES,
	{"userName", .is_required = true, .is_unique = true, .doc = "The name that the user signs in with."},
	{"name", SUBS(name_parts), .kept = "scim_name", .doc = "The parts of the person's name."},
	{"displayName", .kept = "scim_display_name", .doc = "The name that others see."},
	{"nickName", .kept = "scim_nick_name", .doc = "A casual name."},
	{"profileUrl", .type = SCIM_REFERENCE, .is_exact = true, .refers = "external",
	 .kept = "scim_profile_url", .doc = "A page about the person."},
	{"title", .kept = "scim_title", .doc = "The job title."},
	{"userType", .kept = "scim_user_type", .doc = "A word such as Employee."},
	{"preferredLanguage", .kept = "scim_preferred_language", .doc = "The preferred language."},
	{"locale", .kept = "scim_locale", .doc = "The locale for formats."},
	{"timezone", .kept = "scim_timezone", .doc = "The time zone, such as Asia/Seoul."},
	{"active", .type = SCIM_BOOLEAN, .is_required = true,
	 .doc = "False: the user's passwords, keys and tokens are refused."},
	{"password", .mutability = SCIM_WRITE_ONLY, .returned = SCIM_NEVER, .is_exact = true,
	 .doc = "The password. Only a hash is stored."},
	{"emails", .is_list = true, SUBS(email_parts), .kept = "scim_emails", .doc = "E-mail addresses."},
	{"phoneNumbers", .is_list = true, SUBS(phone_parts), .kept = "scim_phone_numbers",
	 .doc = "Phone numbers."},
	{"addresses", .is_list = true, SUBS(address_parts), .kept = "scim_addresses",
	 .doc = "Postal addresses."},
	{"groups", .is_list = true, READ_ONLY, SUBS(group_parts), .doc = "Groups that the user is in."},
	{SCIM_ENTERPRISE, SUBS(enterprise), .kept = "scim_enterprise", .doc = "Enterprise User"},
};

#define IMMUTABLE .mutability = SCIM_IMMUTABLE
static const struct scim_attribute member_parts[] = {
	{"value", IMMUTABLE, .is_exact = true, .names = KIND_USER, .doc = "The user's id."},
	{"$ref", IMMUTABLE, .type = SCIM_REFERENCE, .is_exact = true, .refers = "User",
	 .doc = "The user's URI."},
	{"display", READ_ONLY, .returned = SCIM_ON_REQUEST, .doc = "The user's name."},
	{"type", READ_ONLY, .returned = SCIM_ON_REQUEST, .doc = "Always User."},
};
static const struct scim_attribute group_attributes[] = {
	COMMON_ATTRIBUTES,
	{"displayName", .is_required = true, .is_unique = true, .is_exact = true, .doc = "The group's name."},
	{"members", .is_list = true, SUBS(member_parts), .doc = "Users of the same domain."},
};

const struct scim_type scim_user_type = {"User",    "Users",         CORE "User",           "User Account",
					 KIND_USER, user_attributes, COUNT(user_attributes)};
const struct scim_type scim_group_type = {"Group",         "Groups",         CORE "Group",           "Group",
					  KIND_USER_GROUP, group_attributes, COUNT(group_attributes)};
const char *const scim_schema_urns[] = {CORE "User", CORE "Group", SCIM_ENTERPRISE, NULL};

bool scim_is_extension(const struct scim_attribute *a)
{
	return str_starts_with(str_from(a->name), STR("urn:"));
}

const struct scim_attribute *scim_find_attribute(const struct scim_attribute *at, size_t count,
						 struct str name)
{
	for (size_t k = 0; k < count; k++)
		if (str_equal_nocase(str_from(at[k].name), name))
			return &at[k];
	return NULL;
}

/* ---- places ---- */

/* Removes a URN and the colon behind it. */
static bool cut_urn(struct str *text, const char *urn)
{
	size_t n = strlen(urn);
	if (!str_equal_nocase(str_slice(*text, 0, n), str_from(urn)) || (text->n > n && text->p[n] != ':'))
		return false;
	*text = str_slice(*text, n + 1, text->n);
	return true;
}

static const struct scim_attribute *cut_extension(const struct scim_type *type, struct str *text)
{
	for (size_t k = 0; k < type->count; k++)
		if (scim_is_extension(&type->at[k]) && cut_urn(text, type->at[k].name))
			return &type->at[k];
	return NULL;
}

bool scim_read_place(const struct scim_type *type, struct str text, struct scim_place *ret_place)
{
	struct scim_place place = {.extension = cut_extension(type, &text)};
	if (place.extension && !text.n) {
		*ret_place = (struct scim_place){.attribute = place.extension};
		return true;
	}
	if (!place.extension)
		(void) cut_urn(&text, type->urn);
	size_t dot = str_find_char(text, '.', 0);
	struct str name = str_slice(text, 0, dot);
	place.attribute =
		place.extension ? scim_find_attribute(place.extension->subs, place.extension->sub_count, name)
				: scim_find_attribute(type->at, type->count, name);
	if (place.attribute && dot < text.n) {
		place.sub = scim_find_attribute(place.attribute->subs, place.attribute->sub_count,
						str_slice(text, dot + 1, text.n));
		if (!place.sub)
			return false;
	}
	*ret_place = place;
	return place.attribute;
}

bool scim_read_sub_place(const struct scim_attribute *parent, struct str text, struct scim_place *ret_place)
{
	*ret_place =
		(struct scim_place){.attribute = scim_find_attribute(parent->subs, parent->sub_count, text)};
	return ret_place->attribute;
}

RESULT scim_read_names(struct ctx *c, const struct scim_type *type, struct strs texts,
		       const struct scim_place **ret_places, size_t *ret_count)
{
	struct scim_place *places = arena_new_array(c->arena, struct scim_place, SCIM_SHOWN_MAX);
	struct str name;
	size_t count = 0;
	if (!places)
		return ctx_no_memory(c);
	for (size_t k = 0; k < texts.count; k++) {
		struct str names = texts.at[k];
		while (str_split_next(&names, ',', &name)) {
			if (count == SCIM_SHOWN_MAX)
				return ctx_fail(c, ERR_TOO_LARGE, "At most %d attributes can be named.",
						SCIM_SHOWN_MAX);
			count += scim_read_place(type, str_trim(name), &places[count]);
		}
	}
	*ret_places = places;
	*ret_count = count;
	return OK;
}

/* True if `named` contains the place. */
static bool covers(const struct scim_place *named, const struct scim_place *place)
{
	if (named->attribute == place->extension)
		return true;
	return named->attribute == place->attribute && (!named->sub || named->sub == place->sub);
}

bool scim_shows(const struct scim_shown *shown, const struct scim_place *place)
{
	enum scim_returned returned = (place->sub ? place->sub : place->attribute)->returned;
	if (returned == SCIM_ALWAYS || returned == SCIM_NEVER)
		return returned == SCIM_ALWAYS;
	for (size_t k = 0; k < shown->only_count; k++) {
		const struct scim_place *named = &shown->only[k];
		bool is_part = named->extension == place->attribute ||
			       (!place->sub && named->attribute == place->attribute);
		if (is_part || covers(named, place))
			return true;
	}
	if (shown->has_only || returned == SCIM_ON_REQUEST)
		return false;
	for (size_t k = 0; k < shown->without_count; k++)
		if (covers(&shown->without[k], place))
			return false;
	return true;
}

/* ---- discovery documents ---- */

static void write_schemas(struct json_writer *w, const char *urn)
{
	json_write_open_list(w, "schemas");
	json_write_z(w, NULL, urn);
	json_write_close_list(w);
}

static void write_meta(struct json_writer *w, struct str base, const char *type, const char *folder,
		       const char *name)
{
	char text[1024];
	int n = snprintf(text, sizeof text, "%" STR_FMT "/scim/v2/%s%s%s", STR_ARG(str_cut(base, 512)),
			 folder, *name ? "/" : "", name);
	json_write_open(w, "meta");
	json_write_z(w, "resourceType", type);
	json_write_text(w, "location", (struct str){text, (size_t) n});
	json_write_close(w);
}

static const char *const type_words[] = {[SCIM_STRING] = "string",
					 [SCIM_BOOLEAN] = "boolean",
					 [SCIM_TIME] = "dateTime",
					 [SCIM_REFERENCE] = "reference",
					 [SCIM_COMPLEX] = "complex"};
static const char *const mutability_words[] = {[SCIM_READ_WRITE] = "readWrite",
					       [SCIM_READ_ONLY] = "readOnly",
					       [SCIM_IMMUTABLE] = "immutable",
					       [SCIM_WRITE_ONLY] = "writeOnly"};
static const char *const returned_words[] = {[SCIM_BY_DEFAULT] = "default",
					     [SCIM_ALWAYS] = "always",
					     [SCIM_NEVER] = "never",
					     [SCIM_ON_REQUEST] = "request"};

static void write_attribute_head(struct json_writer *w, const struct scim_attribute *a)
{
	json_write_z(w, "name", a->name);
	json_write_z(w, "type", type_words[a->type]);
	json_write_bool(w, "multiValued", a->is_list);
	json_write_z(w, "description", a->doc);
	json_write_bool(w, "required", a->is_required);
	json_write_bool(w, "caseExact", a->is_exact);
	json_write_z(w, "mutability", mutability_words[a->mutability]);
	json_write_z(w, "returned", returned_words[a->returned]);
	json_write_z(w, "uniqueness", a->is_unique ? "server" : "none");
	if (a->refers) {
		json_write_open_list(w, "referenceTypes");
		json_write_z(w, NULL, a->refers);
		json_write_close_list(w);
	}
}

static void write_sub(struct json_writer *w, const struct scim_attribute *a)
{
	json_write_open(w, NULL);
	write_attribute_head(w, a);
	json_write_close(w);
}

/* Two levels only: SCIM forbids complex attributes in complex attributes, except those of an extension. */
static void write_attribute(struct json_writer *w, const struct scim_attribute *a)
{
	json_write_open(w, NULL);
	write_attribute_head(w, a);
	if (a->sub_count) {
		json_write_open_list(w, "subAttributes");
		for (size_t k = 0; k < a->sub_count; k++)
			write_sub(w, &a->subs[k]);
		json_write_close_list(w);
	}
	json_write_close(w);
}

static const struct scim_type *find_type(const char *urn)
{
	return strcmp(urn, scim_user_type.urn) == 0    ? &scim_user_type
	       : strcmp(urn, scim_group_type.urn) == 0 ? &scim_group_type
						       : NULL;
}

void scim_write_schema(struct json_writer *w, struct str base, const char *urn)
{
	const struct scim_type *type = find_type(urn);
	const struct scim_attribute *at = type ? type->at : enterprise;
	size_t count = type ? type->count : COUNT(enterprise);
	json_write_open(w, NULL);
	write_schemas(w, CORE "Schema");
	json_write_z(w, "id", urn);
	json_write_z(w, "name", type ? type->name : "EnterpriseUser");
	json_write_z(w, "description", type ? type->doc : "Enterprise User");
	json_write_open_list(w, "attributes");
	for (size_t k = 0; k < count; k++)
		if (!at[k].is_common && !scim_is_extension(&at[k]))
			write_attribute(w, &at[k]);
	json_write_close_list(w);
	write_meta(w, base, "Schema", "Schemas", urn);
	json_write_close(w);
}

void scim_write_resource_type(struct json_writer *w, struct str base, const struct scim_type *type)
{
	json_write_open(w, NULL);
	write_schemas(w, CORE "ResourceType");
	json_write_z(w, "id", type->name);
	json_write_z(w, "name", type->name);
	json_write_z(w, "description", type->doc);
	json_write_z(w, "endpoint", type->kind == KIND_USER ? "/Users" : "/Groups");
	json_write_z(w, "schema", type->urn);
	json_write_open_list(w, "schemaExtensions");
	for (size_t k = 0; k < type->count; k++)
		if (scim_is_extension(&type->at[k])) {
			json_write_open(w, NULL);
			json_write_z(w, "schema", type->at[k].name);
			json_write_bool(w, "required", false);
			json_write_close(w);
		}
	json_write_close_list(w);
	write_meta(w, base, "ResourceType", "ResourceTypes", type->name);
	json_write_close(w);
}

static void write_support(struct json_writer *w, const char *name, bool is_supported)
{
	json_write_open(w, name);
	json_write_bool(w, "supported", is_supported);
	if (strcmp(name, "bulk") == 0) {
		json_write_int(w, "maxOperations", 0);
		json_write_int(w, "maxPayloadSize", 0);
	}
	if (strcmp(name, "filter") == 0)
		json_write_int(w, "maxResults", RESULTS_MAX);
	json_write_close(w);
}

void scim_write_provider_config(struct json_writer *w, struct str base)
{
	json_write_open(w, NULL);
	write_schemas(w, CORE "ServiceProviderConfig");
	write_support(w, "patch", true);
	write_support(w, "bulk", false);
	write_support(w, "filter", true);
	write_support(w, "changePassword", true);
	write_support(w, "sort", false);
	write_support(w, "etag", true);
	json_write_open_list(w, "authenticationSchemes");
	json_write_open(w, NULL);
	json_write_z(w, "type", "oauthbearertoken");
	json_write_z(w, "name", "Access key");
	json_write_z(w, "description", "Bearer ACCESS_KEY_ID:SECRET of an administrator of the domain.");
	json_write_bool(w, "primary", true);
	json_write_close(w);
	json_write_close_list(w);
	write_meta(w, base, "ServiceProviderConfig", "ServiceProviderConfig", "");
	json_write_close(w);
}
