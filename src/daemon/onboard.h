/* SPDX-License-Identifier: Apache-2.0
 * The input and output of host_add.sh as data, without files or processes. */
#pragma once

#include "base/ctx.h"

/* Input of the script, as lines placed before it. Empty: decided by the host, or not used. */
struct onboard_wish {
	const char *mode; /* plan, apply, plan-undo, undo */
	const char *only; /* steps to run; empty: all */
	bool renew;       /* renews valid certificates too */
	struct str region, control;
	struct str name, address, pool, remote, uplink, physical_network, underlay;
	struct str flows;                                     /* where hosts send IPFIX: flow_logs.listen */
	struct str ca, libvirt_certificate, qemu_certificate; /* PEM */
};
/* Returns the complete script. p NULL: out of memory. */
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
	ONBOARD_OTHER /* e.g. the host's greeting, or from a newer script */
};

struct onboard_line {
	enum onboard_what what;
	struct str step, found; /* without control characters; in the arena */
};
struct onboard_line onboard_read_line(struct arena *a, struct str line);

/* The result of all lines. */
struct onboard_outcome {
	bool has_ended; /* the script completed */
	size_t wrong, would, changed;
	struct str libvirt_request, qemu_request;
	struct str name, address, certificate, trusted; /* from facts; the last two are PEM in base64 */
};
void onboard_count(struct onboard_outcome *outcome, const struct onboard_line *line);
