/* SPDX-License-Identifier: Apache-2.0
 * Instance types (Nova: flavors), which the operator manages. Names and flavor ids share one namespace. A
 * deleted type's row stays while instances use it. */
#pragma once

#include "engine/operation.h"
#include "engine/region/offered.h"

enum { INSTANCE_TYPE_SPECS_MAX = 128 };

struct instance_type_wish {
	struct str name;                   /* 1 to 255 characters */
	struct str flavor_id;              /* empty: the type's UUID */
	struct str description;            /* up to 65535 bytes */
	int64_t vcpus, memory;             /* memory in bytes */
	int64_t root_disk;                 /* in bytes; 0: the image's size */
	int64_t ephemeral_disk, swap_disk; /* in bytes (storage/volume/local_disk.h); 0: none */
	int64_t rxtx_percent;              /* 0: 100 */
	bool is_private, is_disabled;
	bool offers_ha; /* CloudStack: instances restart elsewhere when their host is fenced */
	struct tags specs;
	struct offered_wish offered;
	/* outputs: */
	uuid instance_type;
};
/* ERR_EXISTS: the name or the flavor id is in use. */
OPERATION(engine_create_instance_type, instance_type_wish)

struct instance_type_settings {
	struct ref type;        /* by name or flavor id */
	const struct str *name; /* NULL: unchanged; else 1 to 255 characters. ERR_EXISTS: in use */
	enum choice enabled;
	bool set_description;
	struct str description;
	struct tags specs;      /* to add or replace */
	struct str remove_spec; /* key to remove; empty: none */
	struct ref add_user, remove_user;
	struct offered_wish offered;
};
/* ERR_NOT_FOUND with KIND_NONE: the type has no such spec, or the account has no access. With KIND_ACCOUNT:
 * ERR_EXISTS, the account has access. ERR_CONFLICT: the type is public. */
OPERATION(engine_update_instance_type, instance_type_settings)

struct instance_type_target {
	struct ref type;
};
OPERATION(engine_delete_instance_type, instance_type_target)
