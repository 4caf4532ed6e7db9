/* SPDX-License-Identifier: Apache-2.0
 * Dari's own API, `/api/v1`: interface to the rest of the process. Reads are generated from the [api] tables of schema/, changes
 * are rows beside their handlers, and `/api/v1/stream` sends changed rows live. The console's pages, `dari` and people with curl
 * use it. docs/api.md describes it. */
#pragma once

#include "api/core/face.h"

extern const struct api_protocol native_protocol;

#define NATIVE_PREFIX "/api/v1"

/* True if a path on the API's listener belongs to this face. */
bool native_has_path(struct str path);

/* Tag of the operator's listeners (http_where). Every client of such a listener has full control of the region. */
extern const char native_operators_door[];

/* A command of the operator's (POST /api/v1/commands). */
struct native_command {
	struct str words, args;     /* "host list"; a JSON object, or empty */
	const struct identity *who; /* the operator, or an administrator on another listener */
	struct str from;            /* source for the audit log: "unix:uid=0,pid=123", or an address */
	struct str outcome;         /* set by run(): a JSON object, in the arena of run()'s context */
};
struct native_commands {
	void *self;
	/* Runs a command on one of the threads. OK also if the command failed: the outcome tells. */
	RESULT (*run)(void *self, struct ctx *c, struct native_command *command);
	/* Removes a deleted host from this machine's files. Any thread. */
	void (*forget_host)(void *self, struct ctx *c, struct str name);
	struct api_threads threads;
};

/* Ends all streams. Call it before the HTTP server stops. NULL: nothing. */
void native_end_streams(struct api_face *face);

/* All actions as JSON, for `dari dump native`; and as a table for `dari dump coverage`. */
void native_dump_actions(struct buf *out);
void native_write_coverage(struct buf *out);
