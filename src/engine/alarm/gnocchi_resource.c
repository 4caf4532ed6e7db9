/* SPDX-License-Identifier: Apache-2.0
 * Finds Gnocchi's resources among rows, and reads their attributes. Source of types and attributes: ceilometer.gnocchi_client. */
#include "engine/alarm/gnocchi.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "model/row.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/volume.h"

/* Bytes of an instance's id that tell its parts and metrics apart. */
enum { TYPE_BYTE = 13, METRIC_BYTE = 14 };

static const struct {
	const char *word;
	const char *suffix; /* original_resource_id is the instance's id with this suffix */
} types[GNOCCHI_TYPES] = {
	[GNOCCHI_INSTANCE] = {"instance", ""},
	[GNOCCHI_INSTANCE_DISK] = {"instance_disk", "-disks"},
	[GNOCCHI_INSTANCE_INTERFACE] = {"instance_network_interface", "-interfaces"},
	[GNOCCHI_VOLUME] = {"volume", ""},
};

const char *gnocchi_type_word(enum gnocchi_type type)
{
	return types[type].word;
}

bool gnocchi_read_type(struct str word, enum gnocchi_type *ret_type)
{
	for (enum gnocchi_type k = 0; k < GNOCCHI_TYPES; k++)
		if (str_is(word, types[k].word)) {
			*ret_type = k;
			return true;
		}
	*ret_type = GNOCCHI_TYPES;
	return str_is(word, "generic");
}

/* ---- ids ---- */

static uuid part_of(uuid id, enum gnocchi_type type)
{
	id.b[TYPE_BYTE] = (uint8_t) (id.b[TYPE_BYTE] ^ type);
	return id;
}

bool gnocchi_of_instance(const struct instance *i, enum gnocchi_type type,
			 struct gnocchi_resource *ret_resource)
{
	if (!i || !row_is_live(&i->row) || type >= GNOCCHI_VOLUME)
		return false;
	*ret_resource =
		(struct gnocchi_resource){.type = type, .id = part_of(i->row.id, type), .instance = i};
	return true;
}

void gnocchi_of_volume(const struct volume *v, struct gnocchi_resource *ret_resource)
{
	*ret_resource = (struct gnocchi_resource){.type = GNOCCHI_VOLUME, .id = v->row.id, .volume = v};
}

/* Finds the account's resource of type k with that id. */
static bool find_of_type(const struct tables *t, uuid account, enum gnocchi_type k, uuid id,
			 struct gnocchi_resource *ret_resource)
{
	const struct volume *v = k == GNOCCHI_VOLUME ? volume_find(t, id) : NULL;
	const struct instance *i = k == GNOCCHI_VOLUME ? NULL : instance_find(t, id);
	if (v && row_is_live(&v->row) && uuid_equal(v->account, account)) {
		gnocchi_of_volume(v, ret_resource);
		return true;
	}
	return i && uuid_equal(i->account, account) && gnocchi_of_instance(i, k, ret_resource);
}

bool gnocchi_find_resource(const struct tables *t, uuid account, enum gnocchi_type type, struct str text,
			   struct gnocchi_resource *ret_resource)
{
	uuid id;
	for (enum gnocchi_type k = 0; k < GNOCCHI_TYPES; k++) {
		struct str suffix = str_from(types[k].suffix), rest = text;
		bool has_suffix = suffix.n && str_ends_with(text, suffix);
		if (type != GNOCCHI_TYPES && type != k)
			continue;
		if (has_suffix)
			rest = str_slice(text, 0, text.n - suffix.n);
		if (!result_is_ok(uuid_parse(rest, &id)))
			continue;
		if (find_of_type(t, account, k, has_suffix || k == GNOCCHI_VOLUME ? id : part_of(id, k),
				 ret_resource))
			return true;
	}
	return false;
}

uuid gnocchi_metric_id(const struct instance *i, size_t index)
{
	uuid id = i->row.id;
	id.b[METRIC_BYTE] = (uint8_t) (id.b[METRIC_BYTE] ^ (index + 1));
	return id;
}

bool gnocchi_find_metric(const struct tables *t, uuid account, uuid id, size_t count,
			 const struct instance **ret_instance, size_t *ret_index)
{
	for (size_t k = 0; k < count; k++) {
		uuid of = id;
		of.b[METRIC_BYTE] = (uint8_t) (of.b[METRIC_BYTE] ^ (k + 1));
		const struct instance *i = instance_find(t, of);
		if (!i || !row_is_live(&i->row) || !uuid_equal(i->account, account))
			continue;
		*ret_instance = i;
		*ret_index = k;
		return true;
	}
	return false;
}

/* ---- attributes ---- */

static struct str hex(struct arena *a, uuid id)
{
	return str_encode_hex(a, id.b, sizeof id.b);
}

static struct str tag_of(const struct instance *i, const char *key)
{
	for (size_t k = 0; k < i->tags.count; k++)
		if (str_is(i->tags.at[k].key, key))
			return i->tags.at[k].value;
	return STR_NONE;
}

struct subject {
	struct ctx *c;
	const struct tables *t;
	const struct gnocchi_resource *r;
};

static struct str get_name(const struct subject *s)
{
	const struct instance *i = s->r->instance;
	struct str name = i ? i->name : s->r->volume->name;
	return name.n || !i ? name : tag_of(i, "Name");
}

static struct str get_part(const struct subject *s)
{
	return str_from(s->r->type == GNOCCHI_INSTANCE_DISK ? "disks" : "interfaces");
}

static struct str get_instance(const struct subject *s)
{
	return uuid_to_str(s->c->arena, s->r->instance->row.id);
}

static struct str get_flavor(const struct subject *s)
{
	return uuid_to_str(s->c->arena, s->r->instance->type);
}

static struct str get_flavor_name(const struct subject *s)
{
	const struct instance_type *type = instance_type_find(s->t, s->r->instance->type);
	return type ? type->name : STR_NONE;
}

static struct str get_image(const struct subject *s)
{
	const struct instance *i = s->r->instance;
	return uuid_is_none(i->image) || i->root_is_volume ? STR_NONE : uuid_to_str(s->c->arena, i->image);
}

/* Ceilometer copies it from the metadata that Heat gives the machines of a group. */
static struct str get_server_group(const struct subject *s)
{
	return tag_of(s->r->instance, "metering.server_group");
}

static struct str get_id(const struct subject *s)
{
	return uuid_to_str(s->c->arena, s->r->id);
}

static struct str get_origin(const struct subject *s)
{
	const struct instance *i = s->r->instance;
	return i ? str_print(s->c->arena, "%" STR_FMT "%s", STR_ARG(uuid_to_str(s->c->arena, i->row.id)),
			     types[s->r->type].suffix)
		 : get_id(s);
}

static struct str get_project(const struct subject *s)
{
	return hex(s->c->arena, s->r->instance ? s->r->instance->account : s->r->volume->account);
}

static struct str get_user(const struct subject *s)
{
	uuid user = s->r->instance ? s->r->instance->made_by : UUID_NONE;
	return uuid_is_none(user) ? STR_NONE : hex(s->c->arena, user);
}

static struct str get_start(const struct subject *s)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t at_us = s->r->instance ? s->r->instance->row.created_us : s->r->volume->row.created_us;
	clock_write_s(at_us, text); /* 2026-11-28T19:30:00Z */
	return str_print(s->c->arena, "%.19s+00:00", text);
}

static struct str get_type(const struct subject *s)
{
	return str_from(types[s->r->type].word);
}

static struct str get_none(const struct subject *s)
{
	(void) s;
	return STR_NONE;
}

#define OF(type) (1u << GNOCCHI_##type)
#define PARTS (OF(INSTANCE_DISK) | OF(INSTANCE_INTERFACE))
#define ALL (OF(INSTANCE) | PARTS | OF(VOLUME))
/* The first are those of every resource, which answers show in a place of their own. */
static const struct attribute {
	const char *name;
	unsigned types;
	struct str (*get)(const struct subject *s);
} attributes[] = {
	{"id", ALL, get_id},
	{"type", ALL, get_type},
	{"original_resource_id", ALL, get_origin},
	{"project_id", ALL, get_project},
	{"user_id", ALL, get_user},
	{"creator", ALL, get_project},
	{"created_by_project_id", ALL, get_project},
	{"started_at", ALL, get_start},
	{"ended_at", ALL, get_none},
	{"revision_start", ALL, get_start},
	{"revision_end", ALL, get_none},
	{"display_name", OF(INSTANCE) | OF(VOLUME), get_name},
	{"flavor_id", OF(INSTANCE), get_flavor},
	{"flavor_name", OF(INSTANCE), get_flavor_name},
	{"image_ref", OF(INSTANCE), get_image},
	{"server_group", OF(INSTANCE), get_server_group},
	{"instance_id", PARTS, get_instance},
	{"name", PARTS, get_part},
};
enum { COUNT = sizeof attributes / sizeof *attributes, SHARED = 11 };

const char *gnocchi_attribute_name(enum gnocchi_type type, size_t index)
{
	for (size_t k = SHARED; k < COUNT; k++)
		if (attributes[k].types & 1u << type && !index--)
			return attributes[k].name;
	return NULL;
}

static const struct attribute *find_attribute(enum gnocchi_type type, struct str name)
{
	for (size_t k = 0; k < COUNT; k++)
		if (str_is(name, attributes[k].name) &&
		    (k < SHARED || (type < GNOCCHI_TYPES && attributes[k].types & 1u << type)))
			return &attributes[k];
	return NULL;
}

bool gnocchi_has_attribute(enum gnocchi_type type, struct str name)
{
	return find_attribute(type, name) != NULL;
}

bool gnocchi_read_attribute(struct ctx *c, const struct tables *t, const struct gnocchi_resource *r,
			    struct str name, struct str *ret_value)
{
	const struct attribute *a = find_attribute(r->type, name);
	const struct subject s = {c, t, r};
	if (!a)
		return false;
	*ret_value = a->get(&s);
	if (!ret_value->n)
		*ret_value = STR_NONE;
	return true;
}

static bool read_for_search(void *arg, const void *subject, struct str name, struct str *ret_value)
{
	const struct gnocchi_search *search = arg;
	return subject ? gnocchi_read_attribute(search->c, search->t, subject, name, ret_value)
		       : gnocchi_has_attribute(search->type, name);
}

struct json_search gnocchi_search_of(struct gnocchi_search *search)
{
	return (struct json_search){read_for_search, search};
}
