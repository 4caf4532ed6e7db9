/* SPDX-License-Identifier: Apache-2.0
 * Shared functions of the subscription commands. */
#pragma once

#include "daemon/command.h"
#include "engine/licence/licence.h"

/* Parses the parameters "account" (number or name) and "domain"; kind none: absent. */
RESULT command_scope_args(struct command_call *call, struct ref *ret_account, struct ref *ret_domain);
/* Describes whose guests are meant; both none: everybody's. In the arena. */
struct str command_scope_text(struct arena *a, const struct tables *t, uuid account, uuid domain);
