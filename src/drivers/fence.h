/* SPDX-License-Identifier: Apache-2.0
 * The fence driver's contract: what turns a host off for good, and finds that it is. drivers/fence_command.c
 * runs a program by the convention of fence agents (https://github.com/ClusterLabs/fence-agents);
 * drivers/sim turns simulated hosts off. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"

struct fence_device {
	struct str host;     /* its name, for messages */
	struct str command;  /* whole path of the program */
	struct tags options; /* that the program is told, by name */
	struct str secret;   /* more such, lines of name=value; never shown or logged */
	int64_t timeout_us;  /* of each run of the program */
};

struct fence_driver {
	const char *scheme; /* of the addresses of the hosts that it turns off */
	/* Turns the host off, and then asks whether it is. OK is a proof: the host is off, and stays so until
	 * somebody turns it on. Any failure, in words, proves nothing. May be repeated: one that is off is found so.
	 * Blocks for as long as two runs of the program, on a thread that nothing else needs. */
	RESULT (*turn_off)(struct ctx *c, const struct fence_device *device);
};

/* For hosts at any address, and for simulated ones. */
extern const struct fence_driver fence_command, fence_sim;
