/* SPDX-License-Identifier: Apache-2.0
 * What host_add.sh is given and what it says, as data: no file, no process. */
#pragma once

#include "base/ctx.h"

/* What the script is told, in lines before it. Empty: the host decides, or it is not wanted. */
struct onboard_wish {
	const char *mode; /* plan, apply, plan-undo, undo */
	const char *only; /* the steps to take; empty: all */
	bool renew;       /* certificates that are good are made anew, too */
	struct str region, control;
	struct str name, address, pool, remote, uplink, physical_network, underlay;
	struct str ca, libvirt_certificate, qemu_certificate; /* PEM */
};
/* The whole script. p NULL: out of memory. */
struct str onboard_write_script(struct arena *a, const struct onboard_wish *wish);

enum onboard_what {
	ONBOARD_OK,
	ONBOARD_NOTE,
	ONBOARD_WRONG,
	ONBOARD_WOULD,
	ONBOARD_CHANGED,
	ONBOARD_COMMAND,
	ONBOARD_FACT,
	ONBOARD_REQUEST,
	ONBOARD_END,
	ONBOARD_OTHER /* a greeting of the host's, or a newer script's */
};

struct onboard_line {
	enum onboard_what what;
	struct str step, found; /* without control characters; in the arena */
};
struct onboard_line onboard_read_line(struct arena *a, struct str line);

/* What all lines come to. */
struct onboard_outcome {
	bool has_ended; /* the script ran to its end, and was not cut off */
	size_t wrong, would, changed;
	struct str libvirt_request, qemu_request;
	struct str name, address, certificate, trusted; /* of facts; the last two PEM in base64 */
};
void onboard_count(struct onboard_outcome *outcome, const struct onboard_line *line);
