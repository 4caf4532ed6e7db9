/* SPDX-License-Identifier: Apache-2.0
 * Dari's own API, `/api/v1`: what it is to the process. Its reads follow from the [api] tables of schema/, its changes
 * are rows beside their handlers, and `/api/v1/stream` says live what has changed. Pages of the console, `dari` and
 * people with curl speak it. docs/api.md describes it. */
#pragma once

#include "api/core/face.h"

extern const struct api_protocol native_protocol;

#define NATIVE_PREFIX "/api/v1"

/* Whether a path of the API's listener is this face's. */
bool native_has_path(struct str path);

/* The tag of listeners at which the operator asks (http_where): whoever gets through to it has the region in hand. */
extern const char native_operators_door[];

/* A command of the operator's (POST /api/v1/commands). */
struct native_command {
	struct str words, args;     /* "host list"; a JSON object, or empty */
	const struct identity *who; /* the operator, or an administrator from elsewhere */
	struct str from;            /* where from, for the audit log: "unix:uid=0,pid=123", or an address */
	struct str outcome;         /* of run(): a JSON object, in its context's arena */
};
struct native_commands {
	void *self;
	/* On one of the threads. That the command failed is an outcome, too. */
	RESULT (*run)(void *self, struct ctx *c, struct native_command *command);
	/* What this machine's files say of a host that is no more is forgotten. Any thread. */
	void (*forget_host)(void *self, struct ctx *c, struct str name);
	struct api_threads threads;
};

/* Ends all streams: before the HTTP server stops. NULL: nothing. */
void native_end_streams(struct api_face *face);

/* All actions as JSON, for `dari dump native`; and as a table for `dari dump coverage`. */
void native_dump_actions(struct buf *out);
void native_write_coverage(struct buf *out);
