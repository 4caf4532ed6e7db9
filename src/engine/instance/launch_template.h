/* SPDX-License-Identifier: Apache-2.0
 * Launch templates: rows that store the parameters of a launch in numbered versions. The parameters
 * are EC2's own words; its face puts them before those of a launch
 * (api/ec2/compute/run_instances.c). Here they are a text. */
#pragma once

#include "engine/operation.h"
#include "model/launch_template.h"

struct launch_template_version;

enum {
	LAUNCH_TEMPLATES_MAX = 5000, /* of an account */
	LAUNCH_TEMPLATE_VERSIONS_MAX =
		1000, /* of all templates, since each may be as large as what follows */
	LAUNCH_TEMPLATE_NAME_MIN = 3,
	LAUNCH_TEMPLATE_NAME_MAX = 128,
	LAUNCH_TEMPLATE_WORDS_MAX = 255,
	LAUNCH_TEMPLATE_DATA_MAX = 64 * 1024,
};

struct launch_template_wish {
	struct str name, description; /* of the template; of its version 1 */
	struct str data;
	struct tags tags;
	struct str client_token, digest;
	/* made: */
	uuid launch_template;
};
/* ERR_EXISTS: the name is taken. ERR_QUOTA. */
OPERATION(engine_create_launch_template, launch_template_wish)

struct launch_template_version_wish {
	struct ref launch_template; /* by id or name */
	struct str description, data;
	struct str client_token, digest;
	/* made: */
	uuid version;
};
/* The new version's number is one more than the highest that ever was. ERR_QUOTA. */
OPERATION(engine_create_launch_template_version, launch_template_version_wish)

struct launch_template_settings {
	struct ref launch_template;
	struct str default_version; /* a number, or $Latest; empty: as it is */
	/* made: */
	uuid changed;
};
OPERATION(engine_update_launch_template, launch_template_settings)

struct launch_template_target {
	struct ref launch_template;
	/* made: what it was; without tags */
	struct launch_template deleted;
};
OPERATION(engine_delete_launch_template, launch_template_target)

/* What happened to one version. */
struct launch_template_removal {
	int64_t number;
	enum { REMOVAL_DONE, REMOVAL_ABSENT, REMOVAL_OF_DEFAULT } what;
};
struct launch_template_removals {
	struct ref launch_template;
	const int64_t *numbers;
	size_t count;
	/* made: */
	uuid id;
	struct str name;
	const struct launch_template_removal *removals; /* one for each number */
};
OPERATION(engine_delete_launch_template_versions, launch_template_removals)

/* Finds the version that a text names: a number, $Latest or $Default; empty: the default one.
 * ERR_INVALID: the text is none of these. ERR_NOT_FOUND with KIND_LAUNCH_TEMPLATE_VERSION. t as for
 * engine_find(). */
RESULT engine_find_launch_template_version(struct ctx *c, const struct tables *t,
					   const struct launch_template *template, struct str text,
					   struct str field,
					   const struct launch_template_version **ret_version);

/* Adds the tags that an instance gets from the template that launched it. ERR_NOT_FOUND: the
 * template is gone. */
RESULT launch_template_add_tags(struct op *op, uuid version, struct tags *tags);
