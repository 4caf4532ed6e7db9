/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: macros for tables of changes. */
#pragma once

#include "api/core/params.h"
#include "api/native/action.h"

/* A change of a kind's row: CHANGE(POST, "/instances/{id}/stop", "instance.stop", INSTANCE, …). permit: action in IAM policies. */
#define CHANGE_ROW(verb, where, permission, row_kind, returned, more, ...)                                   \
	{                                                                                                    \
		.method = HTTP_##verb, .path = (where), .permit = (permission),                              \
		.flags = API_WRITES | (more), .kind = KIND_##row_kind, .returns = (returned), __VA_ARGS__    \
	}
#define CHANGE(verb, where, permission, row_kind, ...)                                                       \
	CHANGE_ROW(verb, where, permission, row_kind, KIND_##row_kind, 0, __VA_ARGS__)
/* A change of one row or of many rows. */
#define CHANGE_MANY(verb, where, permission, row_kind, ...)                                                  \
	CHANGE_ROW(verb, where, permission, row_kind, KIND_##row_kind, NATIVE_BULK, __VA_ARGS__)
/* A change for administrators. */
#define ADMIN_CHANGE(verb, where, permission, row_kind, ...)                                                 \
	CHANGE_ROW(verb, where, permission, row_kind, KIND_##row_kind, NATIVE_ADMIN, __VA_ARGS__)
/* A change of rows of another kind than the path's. */
#define CHANGE_OF(verb, where, permission, row_kind, returned, ...)                                          \
	CHANGE_ROW(verb, where, permission, row_kind, returned, 0, __VA_ARGS__)
/* Creation of a row: the path has no {id}. */
#define CREATE_ROW(where, permission, row_kind, more, ...)                                                   \
	{                                                                                                    \
		.method = HTTP_POST, .path = (where), .permit = (permission), .flags = API_WRITES | (more),  \
		.returns = KIND_##row_kind, __VA_ARGS__                                                      \
	}
#define CREATE(where, permission, row_kind, ...) CREATE_ROW(where, permission, row_kind, 0, __VA_ARGS__)
#define ADMIN_CREATE(where, permission, row_kind, ...)                                                       \
	CREATE_ROW(where, permission, row_kind, NATIVE_ADMIN, __VA_ARGS__)
/* Deletion of one row or of many; the wish is a struct with one ref. */
#define DELETION(where, permission, row_kind, type, member, run, ...)                                        \
	{                                                                                                    \
		.method = HTTP_DELETE, .path = (where), .permit = (permission),                              \
		.flags = API_WRITES | NATIVE_BULK, .kind = KIND_##row_kind, .returns = KIND_##row_kind,      \
		.args = {.size = sizeof(struct type)}, .target = NATIVE_AT(type, member),                    \
		.operation = (run), __VA_ARGS__                                                              \
	}
/* A ref by id or name, and a ref by id only. */
#define REF(T, name, member, row_kind, ...)                                                                  \
	PARAM(struct T, name, member, .kind = KIND_##row_kind, __VA_ARGS__)

/* The place of one of an enum's words, which the parameter's table has checked. */
static inline int native_place_of_word(const char *const *words, struct str word)
{
	for (int k = 0; words[k]; k++)
		if (str_is(word, words[k]))
			return k;
	return 0;
}
