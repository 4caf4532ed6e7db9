/* SPDX-License-Identifier: Apache-2.0
 * Resources as Gnocchi has them, made of the rows of instances and volumes: no row of its own stands behind one. Ids of parts of an
 * instance, and of its metrics, are the instance's id with other bits, so that a row is found by them. Any thread that has a view. */
#pragma once

#include "base/uuid.h"
#include "engine/alarm/json_search.h"

struct instance;
struct tables;
struct volume;

enum gnocchi_type {
	GNOCCHI_INSTANCE,
	GNOCCHI_INSTANCE_DISK,      /* all disks of an instance: figures are those of the guest */
	GNOCCHI_INSTANCE_INTERFACE, /* all its network interfaces, likewise */
	GNOCCHI_VOLUME,
	GNOCCHI_TYPES,
};

struct gnocchi_resource {
	enum gnocchi_type type;
	uuid id;
	const struct instance *instance; /* NULL: a volume */
	const struct volume *volume;
};

const char *gnocchi_type_word(enum gnocchi_type type); /* "instance_network_interface" */
/* "generic" is any: GNOCCHI_TYPES. False: there is no such type. */
bool gnocchi_read_type(struct str word, enum gnocchi_type *ret_type);
/* Finds a live resource of the account by its id, or as its origin names it. type GNOCCHI_TYPES: any. */
bool gnocchi_find_resource(const struct tables *t, uuid account, enum gnocchi_type type, struct str id,
			   struct gnocchi_resource *ret_resource);
/* Fills in the resource of that type that a row stands for. False: the instance is none that has resources. */
bool gnocchi_of_instance(const struct instance *i, enum gnocchi_type type,
			 struct gnocchi_resource *ret_resource);
void gnocchi_of_volume(const struct volume *v, struct gnocchi_resource *ret_resource);
/* Id of the metric with that index among the instance's, and back. False: the id is of none. */
uuid gnocchi_metric_id(const struct instance *i, size_t index);
bool gnocchi_find_metric(const struct tables *t, uuid account, uuid id, size_t count,
			 const struct instance **ret_instance, size_t *ret_index);

/* Names of the attributes of a type besides those of every resource: "display_name". NULL: there are no more. */
const char *gnocchi_attribute_name(enum gnocchi_type type, size_t index);
bool gnocchi_has_attribute(enum gnocchi_type type, struct str name);
/* Value of an attribute, in the arena; {NULL, 0}: null. False: the type has no such attribute. */
bool gnocchi_read_attribute(struct ctx *c, const struct tables *t, const struct gnocchi_resource *r,
			    struct str name, struct str *ret_value);

/* Search among the resources of a type, for json_search.h; the subject is a struct gnocchi_resource. */
struct gnocchi_search {
	struct ctx *c;
	const struct tables *t;
	enum gnocchi_type type;
};
struct json_search gnocchi_search_of(struct gnocchi_search *search);
