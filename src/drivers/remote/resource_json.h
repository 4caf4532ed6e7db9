/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: resources in answers in JSON. Pure; any thread. */
#pragma once

#include "drivers/remote/json.h"
#include "drivers/remote/resource_draft.h"

/* Rules to read the elements of a list. */
struct resource_form {
	enum remote_resource_type type;
	struct resource_place places[RESOURCE_PLACES_MAX]; /* the first without a path ends them */
	const char
		*tags; /* member with tags: an object of texts, or a list of {"key", "value"}; NULL: none */
	/* Turns the text of a ref or a parent into the id to store; NULL: stores the text unchanged. */
	struct str (*write_ref)(struct ctx *c, const void *self, struct str text);
	const void *self;
};

/* Adds a resource to the list. ERR_IO: it has no proper id. */
RESULT remote_read_resource(struct ctx *c, const json_t *object, const struct resource_form *form,
			    struct remote_resources *list);
