/* SPDX-License-Identifier: Apache-2.0
 * Launch templates: launch parameters stored in numbered versions. The engine stores them as opaque text in
 * EC2's words; the EC2 face merges them with those of a launch (api/ec2/compute/run_instances.c). */
#pragma once

#include "engine/operation.h"
#include "model/launch_template.h"

struct launch_template_version;

enum {
	LAUNCH_TEMPLATES_MAX = 5000, /* per account */
	LAUNCH_TEMPLATE_VERSIONS_MAX =
		1000, /* over all templates of an account: bounds LAUNCH_TEMPLATE_DATA_MAX each */
	LAUNCH_TEMPLATE_NAME_MIN = 3,
	LAUNCH_TEMPLATE_NAME_MAX = 128,
	LAUNCH_TEMPLATE_WORDS_MAX = 255,
	LAUNCH_TEMPLATE_DATA_MAX = 64 * 1024,
};

struct launch_template_wish {
	struct str name, description; /* description: of version 1 */
	struct str data;
	struct tags tags;
	struct str client_token, digest;
	/* outputs: */
	uuid launch_template;
};
/* ERR_EXISTS: the name is in use. ERR_QUOTA. */
OPERATION(engine_create_launch_template, launch_template_wish)

struct launch_template_version_wish {
	struct ref launch_template; /* by id or name */
	struct str description, data;
	struct str client_token, digest;
	/* outputs: */
	uuid version;
};
/* Version numbers are never reused: the new one is one above the highest ever. ERR_QUOTA. */
OPERATION(engine_create_launch_template_version, launch_template_version_wish)

struct launch_template_settings {
	struct ref launch_template;
	struct str default_version; /* a number, or $Latest; empty: unchanged */
	/* outputs: */
	uuid changed;
};
OPERATION(engine_update_launch_template, launch_template_settings)

struct launch_template_target {
	struct ref launch_template;
	/* outputs: the former row, without tags */
	struct launch_template deleted;
};
OPERATION(engine_delete_launch_template, launch_template_target)

/* Result for one version. */
struct launch_template_removal {
	int64_t number;
	enum { REMOVAL_DONE, REMOVAL_ABSENT, REMOVAL_OF_DEFAULT } what;
};
struct launch_template_removals {
	struct ref launch_template;
	const int64_t *numbers;
	size_t count;
	/* outputs: */
	uuid id;
	struct str name;
	const struct launch_template_removal *removals; /* one a number */
};
OPERATION(engine_delete_launch_template_versions, launch_template_removals)

/* Finds a version by number, $Latest or $Default (also if empty). ERR_INVALID: the text is none of these.
 * ERR_NOT_FOUND with KIND_LAUNCH_TEMPLATE_VERSION. t as for engine_find(). */
RESULT engine_find_launch_template_version(struct ctx *c, const struct tables *t,
					   const struct launch_template *template, struct str text,
					   struct str field,
					   const struct launch_template_version **ret_version);

/* Adds the tags that mark an instance as launched from the template. ERR_NOT_FOUND: the template is gone. */
RESULT launch_template_add_tags(struct op *op, uuid version, struct tags *tags);
