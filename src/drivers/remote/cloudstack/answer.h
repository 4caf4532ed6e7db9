/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/cloudstack/: reads answers of CloudStack. Pure; any thread. */
#pragma once

#include "drivers/remote/json.h"

enum { CLOUDSTACK_PAGE_SIZE = 500 };

/* The only member of an answer, such as "listzonesresponse". NULL: the answer has none. */
const json_t *cloudstack_inner(const json_t *root);
/* Id of the account that has the API key, from listAccounts. Empty: not said. */
struct str cloudstack_read_account(struct ctx *c, const json_t *root, struct str key);
/* The name of a machine that is created from here is its token; its display name is the name that people see. */
struct str cloudstack_write_token(struct ctx *c, uuid token);
void cloudstack_read_token(struct str name, uuid *ret_token);
/* Id of the element of a list that has the id or the name. Empty: none. */
struct str cloudstack_find_id(struct ctx *c, const json_t *root, const char *list, struct str said);
/* Reads the machines of listVirtualMachines that are in the zone; zone "all": every zone. *ret_count: machines in the
 * answer, of any zone. */
RESULT cloudstack_read_machines(struct ctx *c, const json_t *root, struct str zone,
				struct remote_page *ret_page, size_t *ret_count);
