/* SPDX-License-Identifier: Apache-2.0
 * Private to api/dlm/: a call, and its row in the tables. */
#pragma once

#include "api/core/dispatch.h"
#include "api/core/rest.h"
#include "api/dlm/dlm.h"
#include "base/json_write.h"
#include "engine/storage/snapshot/lifecycle_policy.h"

struct dlm_call {
	API_CALL_BASE;
	json_t *input; /* parameters of path, query and body; until prepare has ended */
};

struct dlm_action {
	REST_ACTION_BASE;
	RESULT (*prepare)(struct dlm_call *e, void *args);
	RESULT(*answer)
	(struct dlm_call *e, const void *args, struct json_writer *w); /* NULL: no members */
};
#define DLM_ACTION(word) .name = (word), .permit = "dlm:" word

API_DEFINE_FACE(dlm)

extern const struct api_actions dlm_policy_actions, dlm_tag_actions;

/* Fails with ERR_INVALID, which becomes an InvalidRequestException. */
#define DLM_FAIL(e, field, ...) ctx_fail_field((e)->c, ERR_INVALID, STR(field), __VA_ARGS__)

/* ---- policies.c ---- */

/* A policy by its id, "policy-0123456789abcdef0". ERR_NOT_FOUND. */
RESULT dlm_find_policy(struct dlm_call *e, struct str id, const char *field, struct ref *ret_ref);
struct str dlm_write_id(struct dlm_call *e, uuid id);
struct str dlm_write_arn(struct dlm_call *e, struct str id);
void dlm_write_map(struct json_writer *w, const char *name, struct tags tags);

/* ---- details.c ---- */

struct dlm_details {
	struct str policy_type;
	struct strs resource_types, locations;
	struct dlm_tags {
		struct tag *at;
		size_t count;
	} targets;
	struct {
		struct dlm_schedule *at;
		size_t count;
	} schedules;
	struct {
		bool excludes_root;
	} parameters;
};
extern const struct params dlm_details_params;
/* Checks the details of a policy and fills the wanted fields of its row. */
RESULT dlm_read_details(struct dlm_call *e, const struct dlm_details *details,
			struct snapshot_policy *ret_row);
void dlm_write_details(struct dlm_call *e, struct json_writer *w, const struct snapshot_policy *policy);
