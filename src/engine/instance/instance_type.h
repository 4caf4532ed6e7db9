/* SPDX-License-Identifier: Apache-2.0
 * Instance types, which are Nova's flavors: the operator makes, changes and deletes them. Names and
 * flavor ids are unique together: each of them names one type. A type that instances still have is
 * marked deleted, and its row is forgotten with the last of them. */
#pragma once

#include "engine/operation.h"
#include "engine/region/offered.h"

enum { INSTANCE_TYPE_SPECS_MAX = 128 };

struct instance_type_wish {
	struct str name;                   /* 1 to 255 characters */
	struct str flavor_id;              /* empty: its UUID */
	struct str description;            /* up to 65535 bytes */
	int64_t vcpus, memory;             /* bytes */
	int64_t root_disk;                 /* bytes; 0: the image's */
	int64_t ephemeral_disk, swap_disk; /* bytes (storage/local_disk.h); 0: none */
	int64_t rxtx_percent;              /* 0: 100 */
	bool is_private, is_disabled;
	bool offers_ha; /* CloudStack's machines of it are started elsewhere when their host is off for good */
	struct tags specs;
	struct offered_wish offered;
	/* made: */
	uuid instance_type;
};
/* ERR_EXISTS: the name or the flavor id is taken. */
OPERATION(engine_create_instance_type, instance_type_wish)

struct instance_type_settings {
	struct ref type;        /* by name or flavor id */
	const struct str *name; /* NULL: as it is; else 1 to 255 characters. ERR_EXISTS: it is taken */
	enum choice enabled;
	bool set_description;
	struct str description;
	struct tags specs;      /* to set */
	struct str remove_spec; /* its key; empty: none */
	struct ref add_user, remove_user;
	struct offered_wish offered;
};
/* ERR_NOT_FOUND with KIND_NONE: the type has no such spec, or that account has no access. With
 * KIND_ACCOUNT: ERR_EXISTS, the account has access already. ERR_CONFLICT: the type is public, so
 * all have access. */
OPERATION(engine_update_instance_type, instance_type_settings)

struct instance_type_target {
	struct ref type;
};
OPERATION(engine_delete_instance_type, instance_type_target)
