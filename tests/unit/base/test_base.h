/* SPDX-License-Identifier: Apache-2.0
 * Common parts of base's unit tests: cmocka with its prerequisites, assertions on results and strings, a
 * context per test, and the loop over fault points. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/ctx.h"
#include "base/fault.h"

#define assert_ok(expression) check_code((expression), ERR_NONE, #expression, __FILE__, __LINE__)
#define assert_err(expression, kind) check_code((expression), ERR_##kind, #expression, __FILE__, __LINE__)
#define assert_str(s, expected) check_str((s), (expected), __FILE__, __LINE__)

static inline void check_code(struct result r, enum err code, const char *what, const char *file, int line)
{
	if (r.code == code)
		return;
	print_error("%s gave %s, not %s\n", what, err_name(r.code), err_name(code));
	_fail(file, line);
}

static inline void check_str(struct str s, const char *expected, const char *file, int line)
{
	if (str_is(s, expected))
		return;
	print_error("\"%" STR_FMT "\" is not \"%s\"\n", STR_ARG(s), expected);
	_fail(file, line);
}

/* Group fixtures' state: a context with an arena of a mebibyte. */
static inline int ctx_setup(void **state)
{
	struct ctx *c = calloc(1, sizeof *c);
	struct arena *a = arena_new(4096, 1024 * 1024);
	if (!c || !a)
		return -1;
	ctx_init(c, a);
	*state = c;
	return 0;
}

static inline int ctx_teardown(void **state)
{
	struct ctx *c = *state;
	fault_disarm();
	arena_free(c->arena);
	free(c);
	return 0;
}

#define ctx_test(function) cmocka_unit_test_setup_teardown(function, ctx_setup, ctx_teardown)

/* Runs body with the n-th fault point failing, for every n until none fires; returns how many
 * fired. A body must accept any failure and check what must hold nonetheless. */
static inline uint64_t for_each_fault(unsigned points, bool forever, void (*body)(void *), void *data)
{
	for (uint64_t n = 0;; n++) {
		fault_arm(points, n, forever);
		body(data);
		fault_disarm();
		if (!fault_has_fired())
			return n;
	}
}
