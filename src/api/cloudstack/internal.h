/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/: what a command is, what a call of one carries, and lists. */
#pragma once

#include "api/cloudstack/cloudstack.h"
#include "api/core/dispatch.h"
#include "api/core/params.h"
#include "base/json_write.h"

struct cloudstack_call;

/* A command that lists the rows of one kind. Its args begin with a struct cloudstack_list_args. */
struct cloudstack_listing {
	enum kind kind;
	unsigned account_index; /* beginning with the row's account; 0: the rows are everybody's */
	const char *item;       /* the member that holds them, and the object's name: "virtualmachine" */
	struct str (*get_name)(struct cloudstack_call *e, const struct row *row);
	bool is_by_name; /* its order, else that in which rows were created */
	/* Whether the command's own filters accept a row that the caller sees (engine_may_see()). */
	bool (*matches)(struct cloudstack_call *e, const void *args, const struct row *row);
	void (*write)(struct cloudstack_call *e, struct json_writer *w, const struct row *row);
};

struct cloudstack_action {
	union {
		struct {
			API_ACTION_MEMBERS
		};
		struct api_action core;
	};
	struct params args;
	const struct cloudstack_listing *list;
};

struct cloudstack_call {
	union {
		struct {
			API_CALL_MEMBERS
		};
		struct api_call core;
	};
	const struct cloudstack_config *config;
	struct pairs pairs;
	struct str command; /* as the caller wrote it; empty: none was sent */
};

API_DEFINE_FACE(cloudstack)

struct cloudstack_list_args {
	int64_t page, page_size; /* 0: not said */
	struct ref id;
	struct refs ids;
	struct str name, keyword;
};
/* Rows for the parameters that every list of a kind has. */
#define CLOUDSTACK_LIST_PARAMS(T, row_kind)                                                                  \
	PARAM(T, "page", list.page, .min = 1, .max = INT32_MAX, .doc = "Which page, from 1 on."),            \
		PARAM(T, "pagesize", list.page_size, .min = -1, .max = CLOUDSTACK_PAGE_MAX,                  \
		      .doc = "Rows of a page; -1: all, without a page."),                                    \
		PARAM(T, "id", list.id, .kind = (row_kind), .doc = "The one with this id."),                 \
		PARAM(T, "ids", list.ids, .kind = (row_kind), .max = CLOUDSTACK_PAGE_MAX,                    \
		      .doc = "Those with these ids."),                                                       \
		PARAM(T, "name", list.name, .doc = "The name."),                                             \
		PARAM(T, "keyword", list.keyword, .doc = "A part of the name.")
/* Hosts have no rated speed here: each processor counts as one of so many MHz, a figure of ours. */
enum { CLOUDSTACK_PAGE_MAX = 500, CLOUDSTACK_CPU_SPEED_MHZ = 1000 };

/* Writes "count" and the rows asked for; of an empty list nothing. ERR_INVALID: the page, or an id that there is
 * not. */
RESULT cloudstack_list(struct cloudstack_call *e, struct json_writer *w);

/* ERR_INVALID, in the words that clients look for: there is no such row. */
RESULT cloudstack_fail_absent(struct cloudstack_call *e, const char *name, const struct ref *ref);
/* A member with an id; none is left out. */
void cloudstack_write_id(struct cloudstack_call *e, struct json_writer *w, const char *key, uuid id);
/* As "2024-01-02T03:04:05+0000". */
void cloudstack_write_time(struct cloudstack_call *e, struct json_writer *w, const char *key,
			   int64_t time_us);

extern const struct params_dialect cloudstack_dialect;
/* For struct api_protocol and struct http_face: refusals in CloudStack's form. */
void cloudstack_answer_problem(struct api_call *core, struct result result);
struct str cloudstack_find_code(struct api_call *core, struct result result);
void cloudstack_reject(void *self, struct call *call, int status, enum err why);

extern const struct cloudstack_action cloudstack_zone_actions[1], cloudstack_offering_actions[1],
	cloudstack_machine_actions[1];
