/* SPDX-License-Identifier: Apache-2.0
 * Volume types: classes of volumes that the operator defines. EC2's types exist from the beginning. */
#pragma once

#include "engine/operation.h"
#include "engine/region/offered.h"

struct volume_type;

/* The type that Cinder uses if a call names none. */
#define VOLUME_TYPE_DEFAULT STR("__DEFAULT__")
/* The extra spec with the size in GiB of every volume of a CloudStack disk offering. */
#define VOLUME_TYPE_DISK_SIZE "cloudstack:disksize"

/* Creates or changes a type. Only the operator has the permissions volume_type.create, .update and
 * .delete. */
struct volume_type_wish {
	struct ref type; /* by id or name; update only */
	bool set_name, set_description, set_specs;
	struct str name; /* 1 to 255 characters, unique: ERR_EXISTS; ERR_IN_USE: volumes use the old name */
	struct str description;
	enum choice is_public;            /* default: yes, or no change */
	struct tags specs;                /* the full list */
	struct ref add_user, remove_user; /* an account, or kind none */
	struct offered_wish offered;
	/* result: */
	uuid volume_type;
};
OPERATION(engine_create_volume_type, volume_type_wish)
OPERATION(engine_update_volume_type, volume_type_wish)

/* Deletes a type. ERR_IN_USE: volumes, groups or images use it. ERR_PROTECTED: it is the default. */
struct volume_type_target {
	struct ref type;
};
OPERATION(engine_delete_volume_type, volume_type_target)

/* The encryption of a type's volumes. The hosts encrypt with LUKS, like all encrypted volumes; Cinder stores
 * any description, but creating a volume of a type with another one fails. Needs the permission
 * volume_type.update. ERR_IN_USE with KIND_VOLUME: a volume uses the type. */
struct volume_type_crypt {
	struct ref type;
	bool set_provider, set_cipher, set_key_size, set_place;
	struct str provider; /* luks */
	struct str cipher;   /* aes-xts-plain64; empty: not given */
	int64_t key_size;    /* 256 bits; 0: not given */
	struct str place;    /* front-end */
	/* result: */
	uuid volume_type;
};
/* Encrypts new volumes of the type. ERR_EXISTS with the field encryption: the type is encrypted already. */
OPERATION(engine_encrypt_volume_type, volume_type_crypt)
/* Changes the description. ERR_NOT_FOUND: the type is not encrypted (also for the next operation). */
OPERATION(engine_update_volume_type_crypt, volume_type_crypt)
/* Ends the encryption of new volumes of the type. */
OPERATION(engine_end_volume_type_crypt, volume_type_crypt)

/* True if the operator's extra specs allow sharing volumes of the type. */
bool engine_type_shares(const struct tables *t, struct str type);

/* True if the type is public, or the account is one of its users. The operator may use all types. */
bool engine_may_use_volume_type(const struct ctx *c, const struct volume_type *type);
