/* SPDX-License-Identifier: Apache-2.0
 * Executes the lines of golden cases (see golden.c) in any region. */
#pragma once

#include "world.h"

enum { SCRIPT_HISTORY_MAX = 64 };

enum script_user { SCRIPT_ALICE, SCRIPT_BOB, SCRIPT_NOBODY, SCRIPT_ADMIN, SCRIPT_KEY };

/* A request to an OpenStack service. */
struct script_request {
	enum script_user user;
	struct str method, path, query, version, body; /* version: "compute 2.93", or empty */
};

/* Access to the region in which the lines are executed. */
struct script_stage {
	void *self;
	struct arena *arena;   /* lifetime of all texts */
	struct str image;      /* $(image) */
	struct str image_uuid; /* $(image_uuid); empty: not set */
	bool is_lenient;       /* a $(name) of nothing stays as it is, calls past the limit are left out */
	struct world_answer (*call)(void *self, enum script_user user, bool is_get, struct str parameters);
	struct world_answer (*request)(void *self,
				       const struct script_request *request); /* NULL: none comes */
	void (*settle)(void *self);
	void (*wait)(void *self, int64_t us);
	void (*operate)(void *self, op_run run, void *wish); /* what an operator does; NULL: nothing */
};

struct script {
	const struct script_stage *stage;
	struct world_answer history[SCRIPT_HISTORY_MAX];
	size_t count;
	struct str called;  /* the last call's line, its $(name)s replaced */
	struct str masks;   /* value of the last @mask */
	struct str only;    /* value of the last @only */
	struct str version; /* value of the last @version */
};

/* Does what the line says; a call's answer is added to the history. What the line names and is not
 * there ends the process. */
void script_run(struct script *s, struct str line);
bool script_is_call(struct str line);
/* The next case of a table of cases (golden.c): what follows "== " in its first line, and the lines below. */
bool script_next_case(struct str *rest, struct str *ret_name, struct str *ret_lines);
/* False when the (expanded) line is no request to an OpenStack service. */
bool script_read_request(const struct script *s, struct str line, struct script_request *ret_request);
/* The line with each $(name) replaced. */
struct str script_expand(struct script *s, struct str line);
