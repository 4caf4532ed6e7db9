/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: the change feed, a filter of the session's property collector. */
#pragma once

#include "drivers/remote/vmware/soap.h"

/* read_changes() of the driver, in an open session. */
RESULT vmware_ask_changes(struct ctx *c, struct remote *r, struct remote_changes *ret_changes);
/* Reads an answer of WaitForUpdatesEx. is_first: machines that enter are the present state, not changes. *ret_version: version for the next call; empty: nothing has changed. */
RESULT vmware_read_updates(struct ctx *c, struct str text, bool is_first, struct remote_changes *ret_changes,
			   struct str *ret_version);
