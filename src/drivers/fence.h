/* SPDX-License-Identifier: Apache-2.0
 * The fence driver's contract: turns a host off permanently, and verifies it. drivers/fence_command.c runs a
 * program by the convention of fence agents (https://github.com/ClusterLabs/fence-agents); drivers/sim turns
 * simulated hosts off. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"

struct fence_device {
	struct str host;     /* its name, for messages */
	struct str command;  /* absolute path of the program */
	struct tags options; /* parameters of the program */
	struct str secret;   /* further ones as lines of name=value; never shown or logged */
	int64_t timeout_us;  /* per run of the program */
};

struct fence_driver {
	const char *scheme; /* address scheme of the hosts it supports */
	/* Turns the host off, then queries its state. OK is a proof: the host is off and stays off until
	 * somebody turns it on. A failure proves nothing. May be repeated. Blocks for up to two runs of the
	 * program, so run it on a thread nothing else needs. */
	RESULT (*turn_off)(struct ctx *c, const struct fence_device *device);
};

/* Drivers for real hosts, and for simulated hosts. */
extern const struct fence_driver fence_command, fence_sim;
