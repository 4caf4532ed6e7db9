/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: machines and their custom attributes. */
#pragma once

#include "drivers/remote/draft.h"
#include "drivers/remote/vmware/soap.h"

enum { VIM_FIELDS_MAX = 512 };

/* Definitions of custom attributes. */
struct vmware_field {
	struct str key, name;
};
struct vmware_fields {
	struct vmware_field *at; /* in the arena */
	size_t count;
};

/* Names of the properties that a listing reads. `version` is the session's API version. */
const char *const *vmware_machine_properties(int version);
/* Reads machines from an answer. Templates and machines that are being made are left out if `lists`. */
RESULT vmware_read_machines(struct ctx *c, struct str text, const char *method,
			    const struct vmware_fields *fields, bool lists, struct remote_page *ret_page);
/* Reads definitions of custom attributes that machines may have. */
RESULT vmware_read_fields(struct ctx *c, struct str text, struct vmware_fields *ret_fields);

/* In a session: asks for the definitions; none on a host alone. */
RESULT vmware_list_fields(struct ctx *c, struct remote *r, struct vmware_fields *ret_fields);
/* In a session: a page of machines. */
RESULT vmware_list_machines(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page);
/* In a session: one machine. ERR_NOT_FOUND only if the server says so. */
RESULT vmware_get_machine(struct ctx *c, struct remote *r, struct str ref,
			  struct remote_machine *ret_machine);

/* Line of a machine's notes that has the token of its creation. */
#define VIM_TOKEN_LINE "dari:id "
