/* SPDX-License-Identifier: Apache-2.0
 * The statuses of failures that the services' API references name for their calls, and which of them are answered.
 * For the documentation and the tests. Any thread. */
#pragma once

#include "api/openstack/core/action.h"

struct os_statuses {
	enum os_service service;
	const char *method, *path, *verb; /* verb: action in the body, else empty */
	const char *statuses;             /* "400 401" */
};
struct os_status_left_out {
	enum os_service service;
	const char *calls; /* a pattern of "POST /v2.1/servers/{server_id}/action pause" */
	int status;
	const char *why;
};

/* All rows of statuses_known.def. */
const struct os_statuses *os_list_statuses(size_t *ret_count);
/* The reasons of statuses_known.def. */
const struct os_status_left_out *os_list_left_out_statuses(size_t *ret_count);
/* True if a failure of the service's calls can have the status. */
bool os_is_answered_status(enum os_service service, int status);
/* Reason why calls of that row never answer with the status; NULL: no reason is known. */
const char *os_why_no_status(const struct os_statuses *row, int status);
/* The row of the action; NULL: there is none. */
const struct os_statuses *os_find_statuses(enum os_service service, const struct os_action *action);

/* "GET" */
const char *os_method_word(enum http_method method);
/* Paths are the same when their variables stand in the same places. */
bool os_is_same_path(const char *a, const char *b);
/* Members of the action's object: "statuses" and "statuses_left_out", lists of texts. */
void os_dump_statuses(struct json_writer *w, enum os_service service, const struct os_action *action);
/* The member "left_out_statuses", a list of objects: service, status, calls, why. */
void os_dump_left_out_statuses(struct json_writer *w);
