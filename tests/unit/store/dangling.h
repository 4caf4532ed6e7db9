/* SPDX-License-Identifier: Apache-2.0
 * Fails a test that leaves a live row with a reference to a row that is gone, unless the schema lets the
 * reference dangle (`keep`). */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/people/policy/aws_policy.h"
#include "store/reference.h"

static inline void print_dangling(void *arg, const struct row *row, const struct field *field, uuid gone)
{
	char id[UUID_TEXT_SIZE], of[UUID_TEXT_SIZE];
	if (aws_policy_find(gone)) /* AWS's managed policies have no rows */
		return;
	const char *to = field->ref ? model_kinds[field->ref].name : "row";
	print_message("DANGLING %s.%s of %s: the %s %s is gone\n", model_kinds[row->kind].name, field->name,
		      uuid_write(row->id, of), to, uuid_write(gone, id));
	++*(size_t *) arg;
}

static inline void check_no_reference_dangles(const struct tables *t)
{
	size_t count = 0;
	reference_find_dangling(t, print_dangling, &count);
	assert_int_equal(count, 0);
}
