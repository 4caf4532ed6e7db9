/* SPDX-License-Identifier: Apache-2.0
 * Instance types, Nova's flavors: made, changed and deleted by the operator. A name and a flavor id are one
 * space: each of them names one type. One that instances still have is marked deleted, and its row goes with
 * the last of them. */
#pragma once

#include "engine/operation.h"

enum { INSTANCE_TYPE_SPECS_MAX = 128 };

struct instance_type_wish {
	struct str name;        /* 1 to 255 characters */
	struct str flavor_id;   /* empty: its UUID */
	struct str description; /* up to 65535 bytes */
	int64_t vcpus, memory;  /* bytes */
	int64_t root_disk;      /* bytes; 0: the image's */
	int64_t rxtx_percent;   /* 0: 100 */
	bool is_private, is_disabled;
	/* made: */
	uuid instance_type;
};
/* ERR_EXISTS: the name or the flavor id is taken. */
OPERATION(engine_create_instance_type, instance_type_wish)

struct instance_type_settings {
	struct ref type; /* by name or flavor id */
	bool set_description;
	struct str description;
	struct tags specs;      /* to set */
	struct str remove_spec; /* its key; empty: none */
	struct ref add_user, remove_user;
};
/* ERR_NOT_FOUND with KIND_NONE: it has no such spec, or that account has no access; ERR_EXISTS with
 * KIND_ACCOUNT: it has; ERR_CONFLICT: all have, for it is public. */
OPERATION(engine_update_instance_type, instance_type_settings)

struct instance_type_target {
	struct ref type;
};
OPERATION(engine_delete_instance_type, instance_type_target)
