/* SPDX-License-Identifier: Apache-2.0
 * What the commands about subscriptions share. */
#pragma once

#include "daemon/command.h"
#include "engine/licence/licence.h"

/* The parameters "account" (a number or a name) and "domain"; kind none where one is absent. */
RESULT command_scope_args(struct command_call *call, struct ref *ret_account, struct ref *ret_domain);
/* Whose guests, for people; both none: everybody's. In the arena. */
struct str command_scope_text(struct arena *a, const struct tables *t, uuid account, uuid domain);
