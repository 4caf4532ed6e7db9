/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/: what its commands share. Each command so far is a list (api/core/listing.h), whose args
 * begin with a struct cloudstack_list_args. */
#pragma once

#include "api/cloudstack/cloudstack.h"
#include "api/core/dispatch.h"
#include "api/core/listing.h"

struct cloudstack_action {
	API_ACTION_BASE;
};

struct cloudstack_list_args {
	int64_t page, page_size; /* 0: not said */
	struct ref id;
	struct refs ids;
	struct str name, keyword;
	enum choice lists_all, is_recursive;
};

enum { CLOUDSTACK_PAGE_MAX = 500 };
/* Rows for the parameters that every list of a kind has; those of what is owned have the others, too. */
#define CLOUDSTACK_LIST_PARAMS(T, row_kind)                                                                  \
	PARAM(T, "page", list.page, .min = 1, .max = INT32_MAX, .doc = "Which page, from 1 on."),            \
		PARAM(T, "pagesize", list.page_size, .min = -1, .max = CLOUDSTACK_PAGE_MAX,                  \
		      .doc = "Rows of a page; -1: all, without a page."),                                    \
		PARAM(T, "id", list.id, .kind = (row_kind), .doc = "The one with this id."),                 \
		PARAM(T, "ids", list.ids, .kind = (row_kind), .max = CLOUDSTACK_PAGE_MAX,                    \
		      .fits = FITS(row, id), .doc = "Those with these ids."),                                \
		PARAM(T, "name", list.name, .doc = "The name."),                                             \
		PARAM(T, "keyword", list.keyword, .doc = "A part of the name.")
#define CLOUDSTACK_OWNER_PARAMS(T)                                                                           \
	PARAM(T, "listall", list.lists_all, .doc = "Makes no difference to a user."),                        \
		PARAM(T, "isrecursive", list.is_recursive,                                                   \
		      .doc = "Makes no difference without domains below."),                                  \
		NOT_BUILT("account|domainid|projectid")
/* Hosts have no rated speed here: each processor counts as one of so many MHz, a figure of ours. */
#define CLOUDSTACK_CPU_SPEED_MHZ "1000"

/* Opens {"<name>response":{, which takes json_write_close() twice. */
void cloudstack_open_response(struct api_call *e, struct json_writer *w, const char *name);
/* As in struct api_protocol. */
RESULT cloudstack_write_problem(struct api_call *e, struct api_problem *problem, struct buf *body);
extern const struct params_dialect cloudstack_dialect;

extern const struct api_actions cloudstack_zone_actions, cloudstack_offering_actions,
	cloudstack_machine_actions;
