/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: machines and their custom attributes. */
#pragma once

#include "drivers/remote/draft.h"
#include "drivers/remote/vmware/soap.h"

enum { VIM_FIELDS_MAX = 512 };

/* Definitions of custom attributes. */
struct vim_field {
	struct str key, name;
};
struct vim_fields {
	struct vim_field *at; /* in the arena */
	size_t count;
};

/* Properties that are read of each machine. `version`: of the session. */
const char *const *vim_machine_properties(int version);
/* Reads machines from an answer. Templates and machines that are being made are left out if `lists`. */
RESULT vim_read_machines(struct ctx *c, struct str text, const char *method, const struct vim_fields *fields,
			 bool lists, struct remote_page *ret_page);
/* Reads definitions of custom attributes that machines may have. */
RESULT vim_read_fields(struct ctx *c, struct str text, struct vim_fields *ret_fields);

/* In a session: asks for the definitions; none on a host alone. */
RESULT vim_list_fields(struct ctx *c, struct remote *r, struct vim_fields *ret_fields);
/* In a session: a page of machines. */
RESULT vim_list_machines(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page);
/* In a session: one machine. ERR_NOT_FOUND only if the server says so. */
RESULT vim_get_machine(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine);

/* A machine's size as its type: number of processors and MiB of memory, "2x4096". */
struct str vim_write_size(struct ctx *c, int64_t vcpus, int64_t mib);
/* ERR_INVALID: of another form. */
RESULT vim_parse_size(struct ctx *c, struct str text, int64_t *ret_vcpus, int64_t *ret_mib);
/* Line of a machine's notes that has the token of its creation. */
#define VIM_TOKEN_LINE "dari:id "
