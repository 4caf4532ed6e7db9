/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/azure/: reads answers of Azure Resource Manager. Pure; any thread. */
#pragma once

#include "drivers/remote/json.h"

/* ASCII letters in lower case, in the arena. */
struct str azure_lower(struct ctx *c, struct str s);
/* A machine is known by "GROUP:NAME" in lower case, because ARM's ids contain slashes, and their case varies. Empty:
 * the id is not that of a virtual machine of the subscription, or a name has other characters than ARM allows. */
struct str azure_ref_of_id(struct ctx *c, struct str id, struct str subscription);
/* The path of a machine: "/subscriptions/…/virtualMachines/NAME". Empty: the ref is of another form. */
struct str azure_path_of_ref(struct ctx *c, struct str ref, struct str subscription);

/* Power from the member instanceView/statuses or properties/instanceView/statuses. */
enum remote_machine_power azure_read_power(struct ctx *c, const json_t *vm);
/* Addresses of a machine, which ARM keeps elsewhere. */
struct azure_addresses {
	struct draft_ips private_ips, public_ips;
};
/* Machines that are created from here are called AZURE_NAME_PREFIX and the row's id; their tag Name has the display name. */
#define AZURE_NAME_PREFIX "dari-"
/* Reads one virtual machine, with its power if the answer has it. */
RESULT azure_read_machine(struct ctx *c, const json_t *vm, struct str subscription,
			  const struct azure_addresses *addresses, struct remote_machines *list);
/* True if the permissions allow the action, "Microsoft.Compute/virtualMachines/start/action". */
bool azure_may(struct ctx *c, const json_t *permissions, const char *action);
